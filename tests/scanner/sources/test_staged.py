"""What the next commit adds, in all the ways in which an index can differ from HEAD."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, number_of, start
from tests.scanner.sources.reading import copy_of, paths, places

from strongroom.scanner.problem import Problem
from strongroom.scanner.sources.git_layout import find_repository
from strongroom.scanner.sources.staged import Staged


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    builder = start(tmp_path_factory.mktemp("first") / "r")
    builder.hide("old", "old.py")
    builder.commit("old")
    return builder


@pytest.fixture
def builder(first: Builder, tmp_path: Path) -> Builder:
    return copy_of(first, tmp_path / "r")


@pytest.fixture
def problems() -> list[Problem]:
    return []


def staged(builder: Builder, problems: list[Problem], *, whole: bool = False) -> Staged:
    return Staged(str(builder.root), problems.append, whole=whole)


def test_what_is_announced_only_is_not_staged(builder: Builder, problems: list[Problem]) -> None:
    builder.hide("announced", "new.py")
    builder.git("add", "--intent-to-add", "new.py")
    source = staged(builder, problems)
    assert source.is_empty
    assert paths(source) == set()
    assert problems == []


def test_the_index_counts_and_not_the_file_beside_it(builder: Builder, problems: list[Problem]) -> None:
    builder.hide("in the index", "new.py")
    builder.git("add", "new.py")
    builder.hide("in the file", "new.py")
    source = staged(builder, problems)
    assert places(source, "in the index") == {("new.py", 3)}
    assert places(source, "in the file") == set()


def test_a_renamed_file_is_scanned_under_its_new_name(builder: Builder, problems: list[Problem]) -> None:
    builder.git("mv", "old.py", "new.py")
    assert places(staged(builder, problems), "old") == {("new.py", 3)}


def test_another_mode_alone_brings_nothing(builder: Builder, problems: list[Problem]) -> None:
    (builder.root / "old.py").chmod(0o755)
    builder.git("add", "old.py")
    assert paths(staged(builder, problems)) == set()


def test_a_file_that_became_a_link_is_scanned_as_the_link(builder: Builder, problems: list[Problem]) -> None:
    (builder.root / "old.py").unlink()
    (builder.root / "old.py").symlink_to(f"/nowhere/{number_of('link').decode()}")
    builder.git("add", "old.py")
    assert places(staged(builder, problems), "link") == {("old.py", 1)}


def test_a_deleted_file_brings_nothing(builder: Builder, problems: list[Problem]) -> None:
    builder.git("rm", "--quiet", "old.py")
    assert staged(builder, problems).is_empty


def test_a_binary_file_is_new_as_a_whole(builder: Builder, problems: list[Problem]) -> None:
    (builder.root / "data.bin").write_bytes(b"\0\1\n" + number_of("binary") + b"\n")
    builder.git("add", "data.bin")
    assert places(staged(builder, problems), "binary") == {("data.bin", 2)}
    builder.commit("binary")
    (builder.root / "data.bin").write_bytes(b"\0\1\n" + number_of("binary") + b"\n\2")
    builder.git("add", "data.bin")
    assert places(staged(builder, problems), "binary") == {("data.bin", 2)}


@pytest.mark.parametrize("setting", ["true", "input", "false"])
def test_line_ends_make_no_line_a_new_one(setting: str, builder: Builder, problems: list[Problem]) -> None:
    builder.git("config", "core.autocrlf", setting)
    old = (builder.root / "old.py").read_bytes()
    (builder.root / "old.py").write_bytes(old.replace(b"\n", b"\r\n") + b"x = '" + number_of("new") + b"'\r\n")
    builder.git("add", "old.py")
    source = staged(builder, problems)
    assert places(source, "new") == {("old.py", 4)}
    assert places(source, "old") == set()


def test_a_submodule_is_not_looked_for_in_this_store(builder: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    other = start(tmp_path / "other")
    builder.git("submodule", "--quiet", "add", str(other.root), "lib")
    assert paths(staged(builder, problems)) == {".gitmodules"}
    builder.commit("submodule")
    builder.git("rm", "--quiet", "--cached", "lib")
    shutil.rmtree(builder.root / "lib")
    builder.hide("file instead of a submodule", "lib")
    builder.git("add", "lib")
    assert places(staged(builder, problems), "file instead of a submodule") == {("lib", 3)}
    assert problems == []


def test_what_is_merged_counts_only_where_no_parent_has_it(builder: Builder, problems: list[Problem]) -> None:
    builder.git("checkout", "--quiet", "-b", "theirs")
    builder.hide("theirs, another file", "theirs.py")
    builder.write("both.py", f"{number_of('theirs, both').decode()}\n\n\ntheirs\n")
    builder.commit("theirs")
    builder.git("checkout", "--quiet", "main")
    builder.write("both.py", f"{number_of('ours').decode()}\n\n\nours\n")
    builder.commit("ours")
    builder.git("merge", "--quiet", "theirs", fails=True)
    builder.write("both.py", "\n".join(number_of(one).decode() for one in ("theirs, both", "ours", "evil")))
    builder.git("add", "both.py")
    source = staged(builder, problems)
    assert places(source, "evil") == {("both.py", 3)}
    assert paths(source) == {"both.py"}
    assert not places(source, "theirs, both")
    assert not places(source, "ours")


def test_a_commit_of_one_file_is_scanned_by_the_index_that_git_made_for_it(
    builder: Builder, tmp_path: Path, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.hide("committed", "one.py")
    builder.hide("staged for later", "two.py")
    builder.git("add", "--all")
    hook = builder.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\necho "$GIT_INDEX_FILE" > {tmp_path}/name\ncp "$GIT_INDEX_FILE" {tmp_path}/index\n')
    hook.chmod(0o755)
    builder.git("commit", "--quiet", "-m", "one", "one.py")
    builder.git("update-ref", "HEAD", "HEAD~1")
    assert Path((tmp_path / "name").read_text().strip()).name != "index"
    monkeypatch.chdir(tmp_path)
    source = Staged(str(builder.root), problems.append, environment={"GIT_INDEX_FILE": "index"})
    assert places(source, "committed") == {("one.py", 3)}
    assert places(source, "staged for later") == set()


NAMES = {
    "with\nline break.py": "with\nline break.py",
    "quo\"te's.py": "quo\"te's.py",
    "-rf": "-rf",
    "--output=x": "--output=x",
    ":(glob)**": ":(glob)**",
    "tab\t.py": "tab\t.py",
    os.fsdecode(b"no utf-8 \xff.py"): "no utf-8 \\xff.py",
    "\x1b]0;title\x07.py": "\x1b]0;title\x07.py",
}


def test_names_are_names_whatever_they_look_like(builder: Builder, problems: list[Problem]) -> None:
    for name in NAMES:
        (builder.root / name).write_bytes(number_of("name"))
    builder.git("add", "--all")
    assert places(staged(builder, problems), "name") == {(shown, 1) for shown in NAMES.values()}
    assert not (builder.root / "x").exists()


def test_before_the_first_commit_all_that_is_staged_is_new(tmp_path: Path, problems: list[Problem]) -> None:
    builder = Builder(tmp_path)
    builder.git("init", "--quiet", "--object-format=sha256")
    assert staged(builder, problems).is_empty
    builder.hide("first", "-first.py")
    builder.git("add", "--", "-first.py")
    assert places(staged(builder, problems), "first") == {("-first.py", 3)}


def test_the_whole_index_has_what_was_committed_long_ago(builder: Builder, problems: list[Problem]) -> None:
    builder.hide("untracked", "untracked.py")
    source = staged(builder, problems, whole=True)
    assert paths(source) == {"README", "old.py"}
    assert places(source, "old") == {("old.py", 3)}


def test_a_linked_working_tree_has_an_index_of_its_own(
    builder: Builder, tmp_path: Path, problems: list[Problem]
) -> None:
    builder.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "linked")
    linked = Builder(tmp_path / "linked")
    linked.hide("linked", "a.py")
    linked.git("add", "a.py")
    assert places(Staged(find_repository(str(linked.root)), problems.append), "linked") == {("a.py", 3)}
    assert staged(builder, problems).is_empty
