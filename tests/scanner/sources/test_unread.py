"""What cannot be read of a repository, and what leads out of it: none of it makes a scan a clean one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, number_of, start
from tests.scanner.hiding.searching import search
from tests.scanner.sources.reading import paths, places

from strongroom.scanner.fragment import Source
from strongroom.scanner.problem import Problem
from strongroom.scanner.sources.git import GitRepository
from strongroom.scanner.sources.pushed import Pushed, Update


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return start(tmp_path / "r")


@pytest.fixture
def problems() -> list[Problem]:
    return []


def remove(builder: Builder, name: str) -> None:
    """Takes an object out of the store."""
    (builder.root / ".git/objects" / name[:2] / name[2:]).unlink()


def history(builder: Builder) -> tuple[str, str, str]:
    """A base, a commit whose folder is not there any more, and a tip. Each of the commits but the base brings a token."""
    base = builder.git("rev-parse", "HEAD")
    for name in ("first", "lost", "last"):
        builder.hide(name, f"{name}/a.py")
        builder.commit(name)
    tip, lost = builder.git("rev-parse", "HEAD", "HEAD~1").split()
    return base, lost, tip


@pytest.mark.parametrize("kind", ["git", "pushed"])
def test_a_commit_whose_folders_are_not_there_is_named_and_the_others_are_read(
    builder: Builder, problems: list[Problem], kind: str
) -> None:
    base, lost, tip = history(builder)
    remove(builder, builder.git("rev-parse", f"{lost}^{{tree}}"))
    root = str(builder.root)
    source: Source = (
        GitRepository(root, problems.append, since=base)
        if kind == "git"
        else Pushed(root, problems.append, [Update(base, tip)], remote="origin")
    )
    assert places(source, "first") == {("first/a.py", 3)}
    # The one behind it cannot be compared with it.
    assert [problem.path for problem in problems] == [f"<commit {lost[:12]}>", f"<commit {tip[:12]}>"]
    assert not any(problem.is_note for problem in problems)


def test_a_commit_behind_one_that_brings_nothing_is_named_as_well(builder: Builder, problems: list[Problem]) -> None:
    base = builder.git("rev-parse", "HEAD")
    builder.commit("brings nothing")
    builder.hide("lost", "lost/a.py")
    lost = builder.commit("lost")
    builder.commit("brings nothing either")
    builder.hide("last", "a.py")
    builder.commit("last")
    remove(builder, builder.git("rev-parse", f"{lost}:lost"))
    source = GitRepository(str(builder.root), problems.append, since=base)
    assert places(source, "last") == {("a.py", 3)}
    assert [problem.path for problem in problems] == [f"<commit {lost[:12]}>"]


def test_a_merge_whose_folders_are_not_there_is_named(builder: Builder, problems: list[Problem]) -> None:
    base = builder.git("rev-parse", "HEAD")
    builder.git("checkout", "--quiet", "-b", "side")
    builder.hide("side", "side.py")
    builder.commit("side")
    builder.git("checkout", "--quiet", "main")
    builder.hide("main", "main.py")
    builder.commit("main")
    builder.git("merge", "--quiet", "--no-commit", "side")
    builder.hide("evil", "evil/a.py")
    merge = builder.commit("merge")
    remove(builder, builder.git("rev-parse", f"{merge}^{{tree}}"))
    source = GitRepository(str(builder.root), problems.append, since=base)
    assert paths(source) >= {"side.py", "main.py"}
    assert [problem.path for problem in problems] == [f"<commit {merge[:12]}>"]


def test_where_git_gives_up_again_and_again_the_rest_is_given_up_aloud(
    builder: Builder, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.scanner.sources.git_places._MOST_FAILURES", 2)
    base = builder.git("rev-parse", "HEAD")
    commits = []
    for at in range(5):
        builder.write("f/a", str(at))
        commits.append(builder.commit(str(at)))
    for commit in commits:
        remove(builder, builder.git("rev-parse", f"{commit}:f"))
    GitRepository(str(builder.root), problems.append, since=base)
    assert [problem.path for problem in problems] == [f"<commit {commit[:12]}>" for commit in commits]


class TestReferences:
    """References that name no commit."""

    def pushed(self, builder: Builder, problems: list[Problem], name: str) -> Pushed:
        return Pushed(str(builder.root), problems.append, [Update("", name)])

    @pytest.fixture
    def tree(self, builder: Builder) -> str:
        """A folder that is in no commit."""
        builder.hide("in a folder", "sub/a.py")
        builder.git("add", "--all")
        tree = builder.git("write-tree")
        builder.git("reset", "--quiet", "--hard")
        return tree

    def test_a_folder_is_read(self, builder: Builder, problems: list[Problem], tree: str) -> None:
        assert places(self.pushed(builder, problems, tree), "in a folder") == {("sub/a.py", 3)}

    def test_a_folder_that_a_tag_of_a_tag_names_is_read(
        self, builder: Builder, problems: list[Problem], tree: str
    ) -> None:
        builder.git("tag", "-a", "inner", "-m", number_of("inner").decode(), tree)
        builder.git("tag", "-a", "outer", "-m", "outer", "inner")
        source = self.pushed(builder, problems, builder.git("rev-parse", "outer"))
        assert places(source, "in a folder") == {("sub/a.py", 3)}
        assert places(source, "inner") == {("<tag message>", 1)}

    def test_where_its_files_stand_is_told(self, builder: Builder, problems: list[Problem], tree: str) -> None:
        source = self.pushed(builder, problems, tree)
        [hit] = search(source, problems).hits
        [[place]] = source.attribute([hit.object_id]).values()
        assert (place.path, place.commit, place.in_head) == ("sub/a.py", "", False)

    def test_a_submodule_in_it_is_not_looked_for(self, builder: Builder, problems: list[Problem]) -> None:
        tree = builder.git("mktree", given=f"160000 commit {'1' * 40}\tsub\n".encode())
        assert paths(self.pushed(builder, problems, tree)) == set()
        assert problems == []


class TestWithin:
    """Folders that say that they are repositories."""

    def test_files_beside_what_is_no_repository_are_read(self, builder: Builder, problems: list[Problem]) -> None:
        for name, text in (("file", "gitdir: ../nowhere\n"), ("empty", "")):
            builder.write(f"{name}/.git", text)
            builder.hide(f"in {name}", f"{name}/a.py")
        (builder.root / "folder/.git").mkdir(parents=True)
        builder.hide("in folder", "folder/a.py")
        found = search(GitRepository(str(builder.root), problems.append), problems)
        for name in ("file", "empty", "folder"):
            assert found.places(number_of(f"in {name}")) == {(f"{name}/a.py", 3)}

    @pytest.mark.parametrize("way", ["a file", "a link"])
    def test_a_repository_out_of_the_folder_is_not_read(
        self, builder: Builder, problems: list[Problem], tmp_path: Path, way: str
    ) -> None:
        other = start(tmp_path / "private")
        other.hide("private", "a.py")
        other.commit("private")
        builder.hide("beside", "x/b.py")
        if way == "a link":
            (builder.root / "x/.git").symlink_to(other.root / ".git")
        else:
            builder.write("x/.git", f"gitdir: {other.root}/.git\n")
        found = search(GitRepository(str(builder.root), problems.append), problems)
        assert not found.places(number_of("private"))
        assert found.places(number_of("beside")) == {("x/b.py", 3)}
        assert [(one.path, one.is_note) for one in found.problems if "its repository is out" in one.what] == [
            ("x", True)
        ]

    def test_files_of_a_submodule_in_a_submodule_are_shown_with_the_whole_path(
        self, builder: Builder, problems: list[Problem], tmp_path: Path
    ) -> None:
        inner, outer = start(tmp_path / "inner"), start(tmp_path / "outer")
        outer.git("submodule", "--quiet", "add", str(inner.root), "inner")
        outer.commit("inner")
        builder.git("submodule", "--quiet", "add", str(outer.root), "outer")
        builder.git("submodule", "--quiet", "update", "--init", "--recursive")
        builder.hide("deep", "outer/inner/new.py")
        found = search(GitRepository(str(builder.root), problems.append), problems)
        assert found.places(number_of("deep")) == {("outer/inner/new.py", 3)}

    def test_names_that_are_no_utf8_are_shown_as_escapes(self, builder: Builder, problems: list[Problem]) -> None:
        folder = builder.root / os.fsdecode(b"\xff")
        shutil.copytree(builder.root, folder)
        (folder / "a.py").write_bytes(number_of("odd"))
        found = search(GitRepository(str(builder.root), problems.append), problems)
        assert found.places(number_of("odd")) == {("\\xff/a.py", 1)}


def test_a_file_is_read_whose_object_is_not_there(builder: Builder, problems: list[Problem]) -> None:
    builder.hide("lost", "a.py")
    builder.commit("key")
    remove(builder, builder.git("rev-parse", "HEAD:a.py"))
    found = search(GitRepository(str(builder.root), problems.append), problems)
    assert found.places(number_of("lost")) == {("a.py", 3)}


def test_objects_that_are_shared_and_not_there_fail_the_scan(
    builder: Builder, problems: list[Problem], tmp_path: Path
) -> None:
    builder.git("clone", "--quiet", "--shared", str(builder.root), str(tmp_path / "clone"))
    GitRepository(str(tmp_path / "clone"), problems.append)
    assert problems == []
    builder.root.rename(tmp_path / "moved")
    GitRepository(str(tmp_path / "clone"), problems.append)
    assert [problem.is_note for problem in problems] == [False]
    assert "shares" in problems[0].what


def test_leftovers_of_a_push_are_read_whatever_the_folder_is_called(tmp_path: Path, problems: list[Problem]) -> None:
    builder = start(tmp_path / 'a:b "c"')
    other = start(tmp_path / "other")
    other.hide("quarantine", "q.py")
    other.commit("key")
    (other.root / ".git/objects").rename(builder.root / ".git/objects/tmp_objdir-incoming-x")
    found = search(GitRepository(str(builder.root), problems.append), problems)
    assert found.places(number_of("quarantine"))
