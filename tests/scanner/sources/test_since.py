"""`-since`: what commits after a revision, within a range, or after a date brought."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, number_of, start
from tests.scanner.sources.reading import copy_of, paths, places

from strongroom.scanner.problem import Problem
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.sources.git import GitRepository


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """A branch `side` that left `main` at the tag `base`; each has gone on by a commit."""
    builder = start(tmp_path_factory.mktemp("first") / "r")
    builder.hide("old", "old.py")
    builder.commit("old")
    builder.git("tag", "base")
    builder.git("checkout", "--quiet", "-b", "side")
    builder.hide("side", "side.py")
    builder.commit(f"side {number_of('message').decode()}")
    builder.git("checkout", "--quiet", "main")
    builder.hide("main", "main.py")
    builder.commit("main")
    return builder


@pytest.fixture
def problems() -> list[Problem]:
    return []


def since(builder: Builder, text: str, problems: list[Problem]) -> GitRepository:
    return GitRepository(str(builder.root), problems.append, since=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("base", {"main.py", "side.py"}),
        ("main", {"side.py"}),
        ("main..side", {"side.py"}),
        ("main...side", {"side.py"}),
        ("side..main", {"main.py"}),
        ("side..", {"main.py"}),
        ("..side", {"side.py"}),
        ("HEAD~1..HEAD", {"main.py"}),
        ("2000-01-01", {"README", "old.py", "main.py", "side.py"}),
        ("2000-01-01 10:00", {"README", "old.py", "main.py", "side.py"}),
        ("2000-01-01T10:00:00Z", {"README", "old.py", "main.py", "side.py"}),
        ("2000-01-01T10:00:00+02:00", {"README", "old.py", "main.py", "side.py"}),
        ("2030-01-31", set()),
        ("1 second ago", set()),
        ("99 years ago", {"README", "old.py", "main.py", "side.py"}),
    ],
)
def test_each_way_to_say_since_when(first: Builder, text: str, expected: set[str], problems: list[Problem]) -> None:
    found = paths(since(first, text, problems))
    assert {path for path in found if not path.startswith("<")} == expected
    assert problems == []


def test_a_date_parts_the_commits_by_when_they_were_committed(first: Builder, problems: list[Problem]) -> None:
    moment = first.git("log", "-1", "--format=%cI", "side")
    found = paths(since(first, moment, problems))
    assert "old.py" not in found
    assert {"side.py", "main.py"} <= found


def test_a_clock_that_went_wrong_hides_no_commit_behind_it(
    first: Builder, tmp_path: Path, problems: list[Problem]
) -> None:
    builder = copy_of(first, tmp_path / "r")
    builder.days = -200_000
    builder.hide("by a wrong clock", "wrong.py")
    builder.commit("by a machine without a battery")
    builder.hide("by a wrong clock, once more", "wrong.py")
    builder.commit("and another one")
    assert "main.py" in paths(since(builder, "2023-12-31", problems))


def test_lines_that_were_there_are_not_reported_again(first: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    builder = copy_of(first, tmp_path / "r")
    with (builder.root / "old.py").open("a") as file:
        file.write(f"another = '{number_of('added').decode()}'\n")
    builder.commit("a line more")
    source = since(builder, "base..main", problems)
    assert places(source, "added") == {("old.py", 4)}
    assert places(source, "old") == set()
    assert places(source, "main") == {("main.py", 3)}


def test_messages_of_commits_are_read_too(first: Builder, problems: list[Problem]) -> None:
    assert places(since(first, "main..side", problems), "message") == {("<commit message>", 1)}


def test_of_a_merge_what_no_parent_had_is_read(first: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    builder = copy_of(first, tmp_path / "r")
    before = builder.git("rev-parse", "HEAD")
    builder.git("merge", "--quiet", "--no-commit", "side")
    builder.hide("evil", "evil.py")
    builder.commit("merged")
    source = since(builder, f"{before}..HEAD", problems)
    assert places(source, "evil") == {("evil.py", 3)}
    assert places(source, "side") == {("side.py", 3)}
    only_merge = since(builder, "side..HEAD", problems)
    assert places(only_merge, "side") == set()
    assert places(only_merge, "evil") == {("evil.py", 3)}


def test_a_renamed_file_is_read_under_its_new_name(first: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    builder = copy_of(first, tmp_path / "r")
    builder.git("mv", "old.py", "renamed.py")
    builder.commit("renamed")
    assert places(since(builder, "HEAD~1", problems), "old") == {("renamed.py", 3)}


def test_the_upstream_of_a_branch_is_a_revision(first: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    builder = copy_of(first, tmp_path / "r")
    builder.git("branch", "--quiet", "--set-upstream-to=side")
    assert "main.py" in paths(since(builder, "@{upstream}..", problems))
    assert "side.py" not in paths(since(builder, "@{upstream}..", problems))


def test_a_place_of_what_was_brought_is_told_with_its_commit(first: Builder, problems: list[Problem]) -> None:
    source = since(first, "base..main", problems)
    [found] = source.attribute([first.git("rev-parse", "main:main.py")]).values()
    assert [(place.path, place.commit, place.in_head) for place in found] == [
        ("main.py", first.git("rev-parse", "main"), True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "nowhere",
        "main..nowhere",
        "..",
        "...",
        "2026-13-45",
        "2026-1-5",
        "tomorrow",
        "0x7f",
        "^main",
        "main side",
        "a\nb",
        *["--output=x", "-n1", "--all", "main..--output=x", ":/", "\0"],
    ],
)
def test_what_means_nothing_is_refused_and_says_what_does(first: Builder, text: str, problems: list[Problem]) -> None:
    with pytest.raises(ScanFailed, match=r"Write main, main\.\.HEAD, 2026-01-31 or 2 weeks ago"):
        since(first, text, problems)
    assert not (first.root / "x").exists()


def test_a_branch_without_upstream_is_told_so(first: Builder, problems: list[Problem]) -> None:
    with pytest.raises(ScanFailed, match="set-upstream-to"):
        since(first, "@{upstream}", problems)


def test_a_base_that_a_shallow_clone_lacks_is_refused(first: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    base = first.git("rev-parse", "base")
    first.git("clone", "--quiet", "--depth=1", f"file://{first.root}", str(tmp_path / "shallow"))
    with pytest.raises(ScanFailed, match="without its history fetch that first"):
        GitRepository(str(tmp_path / "shallow"), problems.append, since=f"{base}..HEAD")


def test_no_graft_hides_a_commit(first: Builder, tmp_path: Path, problems: list[Problem]) -> None:
    builder = copy_of(first, tmp_path / "r")
    builder.hide("new", "new.py")
    builder.commit("new")
    builder.write("README", "changed\n")
    tip = builder.commit("tip")
    (builder.root / ".git/info/grafts").write_text(f"{tip} {builder.git('rev-parse', 'base')}\n")
    assert places(since(builder, "base", problems), "new") == {("new.py", 3)}
