from __future__ import annotations

import io
import json
import os
import socket
import tarfile
from pathlib import Path

import pytest
from tests.scanner.hiding.files import tarred, zipped
from tests.scanner.hiding.repositories import Builder, number_of, start
from tests.scanner.hiding.searching import search

from strongroom.scanner.fragment import Fragment, Source, Whole
from strongroom.scanner.problem import Problem
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.sources import SOURCES
from strongroom.scanner.sources.archive import Archive
from strongroom.scanner.sources.directory import Directory
from strongroom.scanner.sources.git import GitRepository
from strongroom.scanner.sources.image import Image
from strongroom.scanner.sources.pushed import Pushed, Update, pushing, received
from strongroom.scanner.sources.staged import Staged
from strongroom.scanner.sources.stream import Stdin

TEXT = b"some text\n"


def read(source: Source) -> dict[str, bytes]:
    return {fragment.path: fragment.data for fragment in source.fragments(Whole())}


def paths(source: Source) -> set[str]:
    return {fragment.path for fragment in source.fragments(Whole())}


@pytest.fixture
def problems() -> list[Problem]:
    return []


def test_every_source_of_the_registry_can_be_loaded() -> None:
    import importlib

    for place in SOURCES.values():
        module, _, name = place.partition(":")
        assert hasattr(getattr(importlib.import_module(module), name), "fragments")


class TestDirectory:
    def test_everything_is_read_and_links_are_not_followed(self, tmp_path: Path, problems: list[Problem]) -> None:
        root = tmp_path / "root"
        for name in ("a.py", ".env", "node_modules/x/package-lock.json", ".git/config", "b/c/d"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(TEXT)
        (tmp_path / "secret").write_bytes(TEXT)
        (root / "out").symlink_to(tmp_path / "secret")
        (root / "loop").symlink_to(root)
        found = paths(Directory(str(root), problems.append))
        assert found == {"a.py", ".env", "node_modules/x/package-lock.json", ".git/config", "b/c/d"}
        assert [problem.path for problem in problems] == ["out"]

    def test_what_is_no_file_is_told_and_never_waited_for(self, tmp_path: Path, problems: list[Problem]) -> None:
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "socket"))
            assert paths(Directory(str(tmp_path), problems.append)) == set()
        assert {problem.path for problem in problems} == {"pipe", "socket"}
        assert all(problem.is_note for problem in problems)

    def test_a_file_that_becomes_a_pipe_or_vanishes_is_told(self, tmp_path: Path, problems: list[Problem]) -> None:
        for name in ("a", "b", "c"):
            (tmp_path / name).write_bytes(TEXT)
        source = Directory(str(tmp_path), problems.append)
        (tmp_path / "a").unlink()
        os.mkfifo(tmp_path / "a")
        (tmp_path / "b").unlink()
        assert paths(source) == {"c"}
        assert {problem.path for problem in problems} == {"a", "b"}

    def test_a_folder_that_became_a_link_out_is_not_read(self, tmp_path: Path, problems: list[Problem]) -> None:
        (tmp_path / "root/sub").mkdir(parents=True)
        (tmp_path / "root/sub/a").write_bytes(TEXT)
        source = Directory(str(tmp_path / "root"), problems.append)
        (tmp_path / "root/sub").rename(tmp_path / "elsewhere")
        (tmp_path / "root/sub").symlink_to(tmp_path / "elsewhere")
        assert paths(source) == set()
        assert [problem.path for problem in problems] == ["sub/a"]

    def test_patterns_choose_files(self, tmp_path: Path, problems: list[Problem]) -> None:
        for name in ("a.py", "b/a.py", "b/c.txt", "vendor/x/a.py", "b/vendor.py"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(TEXT)
        included = Directory(str(tmp_path), problems.append, include=["*.py"], exclude=["vendor", "/b/a.*"])
        assert paths(included) == {"a.py", "b/vendor.py"}

    def test_a_hostile_pattern_takes_no_time(self, tmp_path: Path, problems: list[Problem]) -> None:
        (tmp_path / ("a" * 200)).write_bytes(TEXT)
        assert paths(Directory(str(tmp_path), problems.append, include=["*a" * 60 + "b"])) == set()

    def test_names_that_are_no_utf8_are_shown_as_escapes(self, tmp_path: Path, problems: list[Problem]) -> None:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(TEXT)
        assert paths(Directory(str(tmp_path), problems.append)) == {"\\xff"}

    def test_the_objects_of_a_repository_are_left_to_scan_git(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        assert not any("/objects/" in path for path in paths(Directory(str(builder.root), problems.append)))
        assert [problem.path for problem in problems] == [".git/objects"]


class TestGit:
    def test_what_is_no_repository_is_refused(self, tmp_path: Path, problems: list[Problem]) -> None:
        with pytest.raises(ScanFailed, match="no git repository"):
            GitRepository(str(tmp_path), problems.append)

    def test_a_bare_clone_has_all_but_the_files_beside(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.hide("HEAD", "a.py")
        builder.commit("key")
        builder.git("clone", "--quiet", "--bare", str(builder.root), str(tmp_path / "bare"))
        found = search(GitRepository(str(tmp_path / "bare"), problems.append), problems)
        assert found.places(number_of("HEAD"))

    def test_a_shallow_clone_says_so(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.commit("second")
        builder.git("clone", "--quiet", "--depth=1", f"file://{builder.root}", str(tmp_path / "shallow"))
        read(GitRepository(str(tmp_path / "shallow"), problems.append))
        assert any("shallow" in problem.what for problem in problems)

    def test_a_partial_clone_says_how_much_is_missing_and_fetches_nothing(
        self, tmp_path: Path, problems: list[Problem]
    ) -> None:
        builder = start(tmp_path / "r")
        builder.hide("HEAD", "a.py")
        builder.commit("key")
        builder.git("config", "uploadpack.allowFilter", "true")
        target = str(tmp_path / "partial")
        builder.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{builder.root}", target)
        read(GitRepository(target, problems.append))
        [problem] = problems
        assert "2 objects stayed with the server" in problem.what

    def test_a_damaged_object_is_reported_and_the_others_are_read(
        self, tmp_path: Path, problems: list[Problem]
    ) -> None:
        builder = start(tmp_path / "r")
        for number in range(20):
            builder.hide(f"place {number}", f"{number}.py")
        builder.commit("keys")
        name = builder.git("rev-parse", "HEAD:7.py")
        loose = builder.root / ".git/objects" / name[:2] / name[2:]
        loose.chmod(0o644)
        content = loose.read_bytes()
        loose.write_bytes(content[:20] + b"\0\0\0\0" + content[24:])
        for number in range(20):
            (builder.root / f"{number}.py").unlink()
        found = search(GitRepository(str(builder.root), problems.append), problems)
        assert sum(bool(found.places(number_of(f"place {number}"))) for number in range(20)) == 19
        assert any("damaged" in problem.what or "does not have" in problem.what for problem in found.problems)

    def test_objects_that_were_seen_are_not_read_again(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        first = GitRepository(str(builder.root), problems.append)
        seen = {fragment.object_id for fragment in first.fragments(Whole())} - {""}
        builder.hide("HEAD", "a.py")
        builder.commit("key")
        again = GitRepository(str(builder.root), problems.append, seen=seen)
        assert len({fragment.object_id for fragment in again.fragments(Whole())} - {""}) == 2

    def test_since_reads_what_later_commits_brought(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.hide("before", "a.py")
        base = builder.commit("old")
        builder.hide("after", "b.py")
        builder.commit("new")
        found = search(GitRepository(str(builder.root), problems.append, since=base), problems)
        assert not found.places(number_of("before"))
        assert found.places(number_of("after"))
        assert read(GitRepository(str(builder.root), problems.append, since="2030-01-01")) == {}

    def test_leftovers_of_a_refused_push_are_read(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        other = start(tmp_path / "other")
        other.hide("quarantine", "q.py")
        other.commit("key")
        (other.root / ".git/objects").rename(builder.root / ".git/objects/tmp_objdir-incoming-x")
        found = search(GitRepository(str(builder.root), problems.append), problems)
        assert found.places(number_of("quarantine"))


class TestStaged:
    def test_only_added_lines_count_at_their_numbers(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.write("a.py", f"{number_of('old').decode()}\n\n\n\n\n\nlast\n")
        builder.commit("old")
        builder.write("a.py", f"{number_of('old').decode()}\n\n\n\n\n\nx = '{number_of('new').decode()}'\nlast\n")
        builder.git("add", "a.py")
        builder.write("a.py", number_of("unstaged").decode())
        found = search(Staged(str(builder.root), problems.append), problems)
        assert found.places(number_of("new")) == {("a.py", 7)}
        assert not found.places(number_of("old"))
        assert not found.places(number_of("unstaged"))

    def test_before_the_first_commit_everything_is_added(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = Builder(tmp_path)
        builder.git("init", "--quiet")
        builder.hide("first", "a.py")
        builder.git("add", "a.py")
        found = search(Staged(str(tmp_path), problems.append), problems)
        assert found.places(number_of("first")) == {("a.py", 3)}

    def test_a_hook_may_name_another_index(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.hide("other index", "a.py")
        builder.git("add", "a.py")
        (builder.root / ".git/index").rename(tmp_path / "index")
        assert read(Staged(str(builder.root), problems.append)) == {}
        other = Staged(str(builder.root), problems.append, environment={"GIT_INDEX_FILE": str(tmp_path / "index")})
        assert set(read(other)) == {"a.py"}


class TestPushed:
    def test_a_version_that_was_taken_back_is_pushed_too(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        base = builder.git("rev-parse", "HEAD")
        builder.git("update-ref", "refs/remotes/origin/main", base)
        builder.hide("taken back", "a.py")
        commit = builder.commit("key")
        builder.write("a.py", "nothing\n")
        tip = builder.commit(f"gone {builder.token('message', '<commit message>', 1)}")
        source = Pushed(str(builder.root), problems.append, [Update(base, tip)], remote="origin")
        found = search(source, problems)
        assert found.places(number_of("taken back")) == {("a.py", 3)}
        assert found.places(number_of("message")) == {("<commit message>", 1)}
        [place] = source.attribute(
            {hit.object_id for hit in found.hits if hit.value == number_of("taken back")}
        ).values()
        assert [(one.path, one.commit, one.in_head) for one in place] == [("a.py", commit, False)]

    def test_what_was_there_before_is_not_pushed(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.hide("before", "a.py")
        base = builder.commit("old")
        tip = builder.commit("new")
        found = search(Pushed(str(builder.root), problems.append, [Update(base, tip)], remote="origin"), problems)
        assert found.hits == []

    def test_a_new_branch_an_annotated_tag_and_a_deletion(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        builder.git("tag", "-a", "v1", "-m", f"key {builder.token('tag', '<tag message>', 1)}")
        tag = builder.git("rev-parse", "v1")
        lines = [f"refs/tags/v1 {tag} refs/tags/v1 {'0' * 40}\n", f"(delete) {'0' * 40} refs/heads/x {tag}\n"]
        found = search(Pushed(str(builder.root), problems.append, pushing(lines), remote="origin"), problems)
        assert found.places(number_of("tag"))

    def test_a_real_pre_receive_hook_sees_what_is_in_quarantine(self, tmp_path: Path, problems: list[Problem]) -> None:
        builder = start(tmp_path / "r")
        server = tmp_path / "server"
        builder.git("clone", "--quiet", "--bare", str(builder.root), str(server))
        hook = server / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        variables = "GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_QUARANTINE_PATH"
        copy = f'cp -r "$GIT_OBJECT_DIRECTORY" {tmp_path}/quarantine; cat > {tmp_path}/updates'
        hook.write_text(
            f'#!/bin/sh\nfor v in {variables}; do eval echo "$v=\\$$v"; done > {tmp_path}/names\n{copy}\nexit 1\n'
        )
        hook.chmod(0o755)
        builder.hide("quarantined", "a.py")
        builder.commit("key")
        builder.git("push", "--quiet", str(server), "main", fails=True)
        environment = dict(line.split("=", 1) for line in (tmp_path / "names").read_text().splitlines())
        environment["GIT_OBJECT_DIRECTORY"] = environment["GIT_QUARANTINE_PATH"] = str(tmp_path / "quarantine")
        updates = received((tmp_path / "updates").read_text().splitlines())
        found = search(Pushed(str(server), problems.append, updates, environment=environment), problems)
        assert found.places(number_of("quarantined")) == {("a.py", 3)}

    @pytest.mark.parametrize("line", ["x", "a b c", f"{'0' * 40} --output=x refs/heads/a", "$(x) y z"])
    def test_lines_that_git_does_not_write_are_refused(self, line: str) -> None:
        with pytest.raises(ScanFailed):
            received([line])


class TestStreams:
    def test_standard_input_is_opened_like_a_file(self, problems: list[Problem]) -> None:
        assert read(Stdin(io.BytesIO(zipped({"a": TEXT})), problems.append)) == {"<stdin>!/a": TEXT}

    def test_an_archive_is_named_by_its_file(self, tmp_path: Path, problems: list[Problem]) -> None:
        (tmp_path / "a.zip").write_bytes(zipped({"a": TEXT}))
        assert paths(Archive(str(tmp_path / "a.zip"), problems.append)) == {"a.zip"}
        (tmp_path / "b.zip").write_bytes(TEXT)
        read(Archive(str(tmp_path / "b.zip"), problems.append))
        assert [problem.path for problem in problems] == ["b.zip"]
        with pytest.raises(ScanFailed):
            Archive(str(tmp_path / "missing"), problems.append)


class TestImage:
    def test_layers_of_a_saved_image_are_read_and_deleted_files_noted(
        self, tmp_path: Path, problems: list[Problem]
    ) -> None:
        layers = {"1/layer.tar": tarred({"etc/key": TEXT}), "2/layer.tar": tarred({"etc/.wh.key": b""})}
        manifest = json.dumps([{"Config": "c.json", "Layers": [*layers, "3/layer.tar"]}]).encode()
        (tmp_path / "i.tar").write_bytes(tarred({**layers, "c.json": b"{}", "manifest.json": manifest}))
        found = paths(Image(str(tmp_path / "i.tar"), problems.append))
        assert "i.tar!/1/layer.tar!/etc/key" in found
        assert [problem.path for problem in problems] == ["i.tar!/3/layer.tar", "i.tar!/2/layer.tar!/etc/.wh.key"]

    def test_an_oci_layout_says_which_blobs_it_lacks(self, tmp_path: Path, problems: list[Problem]) -> None:
        there, missing = "a" * 64, "b" * 64
        manifest = {"layers": [{"digest": f"sha256:{missing}"}]}
        index = {
            "manifests": [{"digest": f"sha256:{there}", "mediaType": "application/vnd.oci.image.manifest.v1+json"}]
        }
        blobs = tmp_path / "blobs/sha256"
        blobs.mkdir(parents=True)
        (blobs / there).write_text(json.dumps(manifest))
        (tmp_path / "index.json").write_text(json.dumps(index))
        assert f"blobs/sha256/{there}" in paths(Image(str(tmp_path), problems.append))
        assert [missing in problem.path for problem in problems] == [True]

    def test_an_archive_in_the_oci_layout_says_which_blobs_it_lacks(
        self, tmp_path: Path, problems: list[Problem]
    ) -> None:
        there, missing = "a" * 64, "b" * 64
        manifest = json.dumps({"layers": [{"digest": f"sha256:{missing}"}]}).encode()
        media = "application/vnd.oci.image.manifest.v1+json"
        index = json.dumps({"manifests": [{"digest": f"sha256:{there}", "mediaType": media}]}).encode()
        (tmp_path / "i.tar").write_bytes(tarred({f"blobs/sha256/{there}": manifest, "index.json": index}))
        Image(str(tmp_path / "i.tar"), problems.append)
        assert [missing in problem.path for problem in problems] == [True]

    def test_of_an_archive_nothing_is_held_but_its_manifests(
        self, tmp_path: Path, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read: list[str] = []
        extract = tarfile.TarFile.extractfile

        def counted(tar: tarfile.TarFile, member: tarfile.TarInfo) -> object:
            read.append(member.name)
            return extract(tar, member)

        files = {f"{at}.json": b"{}" for at in range(20)}
        (tmp_path / "i.tar").write_bytes(tarred({**files, "manifest.json": b"[]"}))
        monkeypatch.setattr(tarfile.TarFile, "extractfile", counted)
        Image(str(tmp_path / "i.tar"), problems.append)
        assert read == ["manifest.json"]

    def test_a_pipe_in_place_of_a_manifest_is_not_waited_for(self, tmp_path: Path, problems: list[Problem]) -> None:
        os.mkfifo(tmp_path / "manifest.json")
        (tmp_path / "index.json").write_text("{}")
        assert paths(Image(str(tmp_path), problems.append)) == {"index.json"}

    def test_what_is_no_image_is_refused(self, tmp_path: Path, problems: list[Problem]) -> None:
        with pytest.raises(ScanFailed, match="no image"):
            Image(str(tmp_path), problems.append)


def test_what_is_read_shows_nothing_of_itself() -> None:
    assert "some" not in repr(Fragment("f", TEXT))
