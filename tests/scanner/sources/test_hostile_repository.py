"""A repository whose settings name programs: not one of them may run, whichever source reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, start
from tests.scanner.hiding.searching import Search, search

from strongroom.scanner.fragment import Source
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.sources.directory import Directory
from strongroom.scanner.sources.git import GitRepository
from strongroom.scanner.sources.pushed import Pushed, Update
from strongroom.scanner.sources.staged import Staged

HOOKS = (
    "applypatch-msg",
    "fsmonitor-watchman",
    "post-checkout",
    "post-index-change",
    "pre-auto-gc",
    "pre-commit",
    "pre-push",
    "pre-receive",
    "reference-transaction",
    "update",
)
# Every setting that names a program, by what git's documentation says of it.
SETTINGS = """
[core]
    fsmonitor = {program}
    sshCommand = {program}
    gitProxy = {program}
    askPass = {program}
    pager = {program}
    editor = {program}
    hooksPath = {hooks}
    alternateRefsCommand = {program}
    attributesFile = {attributes}
[diff]
    external = {program}
[diff "evil"]
    textconv = {program}
    command = {program}
[filter "evil"]
    clean = {program}
    smudge = {program}
    process = {program}
    required = true
[merge "evil"]
    driver = {program}
[credential]
    helper = !{program}
[alias]
    cat-file = !{program}
    rev-list = !{program}
    diff-tree = !{program}
    ls-files = !{program}
    log = !{program}
[pager]
    cat-file = {program}
    log = {program}
    rev-list = {program}
    diff-tree = {program}
[gpg]
    program = {program}
[gpg "ssh"]
    program = {program}
[log]
    showSignature = true
[uploadpack]
    packObjectsHook = {program}
[interactive]
    diffFilter = {program}
[sequence]
    editor = {program}
[trailer "evil"]
    command = {program}
[submodule "evil"]
    update = !{program}
    url = ext::{program}
[remote "origin"]
    url = ext::{program} %S
    uploadpack = {program}
    vcs = evil
    promisor = true
    partialclonefilter = blob:none
[extensions]
    partialClone = origin
[include]
    path = {included}
[includeIf "gitdir:**"]
    path = {included}
"""


class Trap:
    """A repository with all of it, and the file that any of the programs would write."""

    def __init__(self, folder: Path) -> None:
        self.marker = folder / "ran"
        program = folder / "program"
        program.write_text(f'#!/bin/sh\necho "$0 $@" >> {self.marker}\ncat\n')
        program.chmod(0o755)
        self.builder = start(folder / "repository")
        self.builder.hide("HEAD", "a.evil")
        self.builder.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
        self.builder.commit("settings")
        self.builder.hide("staged", "b.evil")
        self.builder.git("add", "b.evil")
        self._set(folder, program)

    def _set(self, folder: Path, program: Path) -> None:
        own = self.builder.root / ".git"
        included = folder / "included"
        included.write_text(f"[core]\n    fsmonitor = {program}\n[diff]\n    external = {program}\n")
        attributes = folder / "attributes"
        attributes.write_text("* diff=evil filter=evil\n")
        (own / "info").mkdir(exist_ok=True)
        (own / "info" / "attributes").write_text("* diff=evil filter=evil\n")
        hooks = folder / "hooks"
        for place in (hooks, own / "hooks"):
            place.mkdir(exist_ok=True)
            for hook in HOOKS:
                (place / hook).write_bytes(program.read_bytes())
                (place / hook).chmod(0o755)
        settings = SETTINGS.format(program=program, hooks=hooks, included=included, attributes=attributes)
        with (own / "config").open("a") as config:
            config.write(settings)
        (own / "config.worktree").write_text(settings)

    def check(self) -> None:
        ran = self.marker.read_text() if self.marker.exists() else ""
        assert ran == ""


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


Open = Callable[[Builder, Report], Source]


def attributed(builder: Builder, report: Report) -> Source:
    source = GitRepository(str(builder.root), report)
    found = source.attribute([builder.git("rev-parse", "HEAD:a.evil"), builder.git("rev-parse", "HEAD")])
    assert len(found) == 2
    return source


SOURCES: dict[str, tuple[Open, str]] = {
    "git": (attributed, "HEAD"),
    "git since": (lambda builder, report: GitRepository(str(builder.root), report, since="HEAD~1"), "HEAD"),
    "dir": (lambda builder, report: Directory(str(builder.root), report), "HEAD"),
    "staged": (lambda builder, report: Staged(str(builder.root), report), "staged"),
    "pushed": (
        lambda builder, report: Pushed(
            str(builder.root), report, [Update("", builder.git("rev-parse", "HEAD"))], remote="origin"
        ),
        "HEAD",
    ),
}


def scan(open_source: Open, builder: Builder) -> Search:
    problems: list[Problem] = []
    return search(open_source(builder, problems.append), problems)


@pytest.mark.parametrize("name", SOURCES)
def test_no_program_of_a_repository_runs(name: str, trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    open_source, hiding = SOURCES[name]
    # The test asks git for ids as the user would: without the traps, which are set for the scan alone.
    config = trap.builder.root / ".git" / "config"
    armed = config.read_text()
    ids = {}
    config.write_text(armed.partition("[core]\n    fsmonitor")[0])
    for revision in ("HEAD", "HEAD:a.evil"):
        ids[revision] = trap.builder.git("rev-parse", revision)
    config.write_text(armed)
    trap.marker.unlink(missing_ok=True)
    monkeypatch.setattr(trap.builder, "git", lambda *words: ids[words[-1]])
    found = scan(open_source, trap.builder)
    trap.check()
    assert found.places(token_of(hiding))


def token_of(hiding: str) -> bytes:
    from tests.scanner.hiding.repositories import number_of

    return number_of(hiding)


def test_the_trap_works_when_git_is_called_carelessly(trap: Trap) -> None:
    trap.builder.git("status", fails=True)
    assert trap.marker.exists()


def test_names_that_look_like_options_are_names(tmp_path: Path) -> None:
    builder = start(tmp_path / "repository")
    builder.hide("option", "--output=owned")
    builder.git("add", "--", "--output=owned")
    builder.commit("an option as a name")
    builder.git("update-ref", "refs/heads/--upload-pack=touch", "HEAD")
    builder.write("with\nline break.py", "nothing\n")
    (Path(os.fsdecode(os.fsencode(builder.root) + b"/no utf-8 \xff.py"))).write_text("nothing\n")
    builder.hide("line break", "with\nline break.py")
    builder.commit("more names")
    problems: list[Problem] = []
    source = GitRepository(str(builder.root), problems.append)
    found = search(source, problems)
    places = source.attribute({hit.object_id for hit in found.hits} - {""})
    assert {place.path for listed in places.values() for place in listed} == {"--output=owned", "with\nline break.py"}
    assert not (builder.root / "owned").exists()


@pytest.mark.parametrize(
    "since", ["--output=owned", "--exec=touch owned", "HEAD --all", "-n1", "@{upstream}", "nonsense"]
)
def test_since_takes_no_options(since: str, tmp_path: Path) -> None:
    from strongroom.scanner.scan import ScanFailed

    builder = start(tmp_path / "repository")
    with pytest.raises(ScanFailed, match=r"neither a commit here|no upstream|has none here"):
        GitRepository(str(builder.root), lambda _: None, since=since)
    assert not (builder.root / "owned").exists()
