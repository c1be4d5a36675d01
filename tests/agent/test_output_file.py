"""Every file of the agent is complete or not there, private, and where the configuration says, whatever somebody does meanwhile."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strongroom.agent.folders import OutputFolders, canonical
from strongroom.agent.output_file import OutputFile, scratch_name
from strongroom.delivery.private_file import CannotWrite

ANYWHERE = OutputFolders()


def write(path: Path, content: bytes = b"secret", mode: int = 0o600, **options: bool) -> bool:
    return OutputFile(str(path), mode, ANYWHERE, **options).write(content)


@pytest.fixture(params=[0o000, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_file_has_exactly_its_mode_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    write(tmp_path / "file", mode=mode)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
    assert (tmp_path / "file").read_bytes() == b"secret"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_the_same_content_again_is_no_change(tmp_path: Path) -> None:
    assert write(tmp_path / "file")
    before = (tmp_path / "file").stat().st_ino
    assert not write(tmp_path / "file")
    assert (tmp_path / "file").stat().st_ino == before


def test_a_file_that_others_could_read_is_replaced_though_its_content_is_right(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"secret")
    (tmp_path / "file").chmod(0o644)
    assert write(tmp_path / "file")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_a_file_with_a_second_name_is_replaced_though_its_content_is_right(tmp_path: Path) -> None:
    write(tmp_path / "file")
    os.link(tmp_path / "file", tmp_path / "spy")
    assert write(tmp_path / "file")
    assert (tmp_path / "file").stat().st_nlink == 1


def test_the_former_content_is_kept_where_that_is_wanted(tmp_path: Path) -> None:
    write(tmp_path / "file", b"one", backup=True)
    write(tmp_path / "file", b"two", backup=True)
    write(tmp_path / "file", b"three", backup=True)
    assert (tmp_path / "file").read_bytes() == b"three"
    assert (tmp_path / "file.bak").read_bytes() == b"two"


def test_missing_folders_are_made_for_us_alone(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "file", create_folders=True)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    with pytest.raises(CannotWrite, match="no such file"):
        write(tmp_path / "c" / "file")


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_what_is_no_file_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    target, place = tmp_path / "target", tmp_path / "file"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(target)
        if kind == "link":
            target.write_bytes(b"mine")
    before = place.lstat()
    with pytest.raises(CannotWrite, match="no file"):
        write(place)
    assert place.lstat() == before
    assert not target.exists() or target.read_bytes() == b"mine"


def test_a_link_in_place_of_the_scratch_file_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / scratch_name("file")).symlink_to(tmp_path / "victim")
    write(tmp_path / "file")
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert (tmp_path / "file").read_bytes() == b"secret"


def test_a_link_on_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "real")
    with pytest.raises(CannotWrite, match="this is a link"):
        write(tmp_path / "way" / "file")
    assert list((tmp_path / "real").iterdir()) == []


def test_a_folder_that_is_replaced_by_a_link_in_the_middle_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    real = os.rename

    def swap_first(*arguments: Any, **options: Any) -> None:
        real(folder, tmp_path / "moved")
        folder.symlink_to(elsewhere)
        real(*arguments, **options)

    monkeypatch.setattr(os, "rename", swap_first)
    write(folder / "file")
    assert list(elsewhere.iterdir()) == []
    assert (tmp_path / "moved" / "file").read_bytes() == b"secret"


def test_a_link_that_is_put_there_in_the_middle_is_replaced_and_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, place = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(b"mine")
    real = os.rename

    def plant_first(*arguments: Any, **options: Any) -> None:
        place.symlink_to(victim)
        real(*arguments, **options)

    monkeypatch.setattr(os, "rename", plant_first)
    write(place)
    assert victim.read_bytes() == b"mine"
    assert not place.is_symlink()
    assert place.read_bytes() == b"secret"


def test_whoever_swaps_links_all_the_time_gets_nothing(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            folder.rename(tmp_path / "moved")
            folder.symlink_to(elsewhere)
            folder.unlink()
            (tmp_path / "moved").rename(folder)

    attacker = threading.Thread(target=swap)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    attacker.start()
    try:
        for number in range(50):
            with contextlib.suppress(CannotWrite):
                write(folder / "file", str(number).encode())
    finally:
        done.set()
        attacker.join()
        sys.setswitchinterval(interval)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_in_which_everybody_may_replace_files_is_refused(tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    with pytest.raises(CannotWrite, match="everybody may replace files"):
        write(open_folder / "file")
    open_folder.chmod(0o1777)
    write(open_folder / "file")


def test_nothing_is_written_outside_of_the_allowed_folders(tmp_path: Path) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "allowed-not"
    allowed.mkdir()
    other.mkdir()
    folders = OutputFolders((str(allowed),))
    assert OutputFile(f"{allowed}/file", 0o600, folders).write(b"x")
    assert OutputFile(f"{allowed}/deep/er/file", 0o600, folders, create_folders=True).write(b"x")
    for path in (f"{other}/file", f"{allowed}/../allowed-not/file", "relative", f"{allowed}/..", f"{allowed}"):
        with pytest.raises(CannotWrite):
            OutputFile(path, 0o600, folders, create_folders=True).write(b"x")
    assert list(other.iterdir()) == []


def test_folders_above_the_allowed_one_are_not_made(tmp_path: Path) -> None:
    folders = OutputFolders((str(tmp_path / "missing" / "allowed"),))
    with pytest.raises(CannotWrite):
        OutputFile(f"{tmp_path}/missing/allowed/file", 0o600, folders, create_folders=True).write(b"x")
    assert not (tmp_path / "missing").exists()


def test_a_full_disk_leaves_the_former_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "file", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="no space left"):
        write(tmp_path / "file", b"new")
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("file", b"old")]


def test_what_a_killed_agent_left_is_cleaned_up_by_the_next_write(tmp_path: Path) -> None:
    (tmp_path / scratch_name("file")).write_bytes(b"half a sec")
    write(tmp_path / "file")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_the_runtime_folder_may_be_written_by_its_old_name() -> None:
    assert canonical("/var/run/app/token") == "/run/app/token"
    assert canonical("/var/running/token") == "/var/running/token"


WRITER = """
import sys
from strongroom.agent.folders import OutputFolders
from strongroom.agent.output_file import OutputFile
from strongroom.delivery.private_file import CannotWrite
file, letter = OutputFile(sys.argv[1], 0o600, OutputFolders()), sys.argv[2].encode()
written = 0
for number in range(150):
    try:
        written += file.write(letter * (200_000 + number))
    except CannotWrite as error:
        if "another agent" not in str(error):
            raise
print(written)
"""


def test_two_agents_that_write_one_file_leave_it_whole_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "file"
    words = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*words, letter], stdout=subprocess.PIPE, text=True) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes()
            assert len(content) >= 200_000
            assert len(set(content)) == 1
    assert all(int(writer.communicate()[0]) > 0 for writer in writers)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_a_file_that_another_agent_is_writing_is_left_to_it(tmp_path: Path) -> None:
    with (tmp_path / scratch_name("file")).open("wb") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        with pytest.raises(CannotWrite, match="another agent is writing"):
            write(tmp_path / "file")
        assert [item.name for item in tmp_path.iterdir()] == [scratch_name("file")]
    write(tmp_path / "file")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
