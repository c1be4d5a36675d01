from __future__ import annotations

import fcntl
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from strongroom.audit.devices import Device, DeviceFailed
from strongroom.audit.devices.file import FileDevice, StreamDevice, open_file_device
from strongroom.audit.devices.file_options import FileOptions
from strongroom.audit.options import Limits

LINE = b'{"a":1}\n'


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """The operating system cuts writes short at ``size``, and then refuses them, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def device(path: Path) -> Iterator[FileDevice]:
    device = FileDevice(FileOptions(str(path), follow_symlinks=True))
    yield device
    device.close()


@pytest.mark.parametrize("mode", [0o600, 0o640])
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_file_has_its_mode_whatever_the_umask(path: Path, mode: int, umask: int) -> None:
    device = FileDevice(FileOptions(str(path), mode))
    before = os.umask(umask)
    try:
        device.write(LINE)
    finally:
        os.umask(before)
        device.close()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_nothing_is_opened_before_the_first_write(path: Path, device: FileDevice) -> None:
    assert not path.exists()
    device.write(LINE)
    assert path.read_bytes() == LINE


def test_what_is_there_is_kept(path: Path, device: FileDevice) -> None:
    path.touch(0o600)
    path.write_bytes(LINE)
    device.write(LINE)
    assert path.read_bytes() == LINE * 2


def test_a_synced_device_keeps_the_same_lines(path: Path) -> None:
    device = FileDevice(FileOptions(str(path), synced=True))
    device.write(LINE)
    device.close()
    assert path.read_bytes() == LINE


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o700, 0o604])
def test_a_file_that_more_may_open_than_the_mode_says_is_refused(path: Path, device: FileDevice, mode: int) -> None:
    path.touch()
    path.chmod(mode)
    with pytest.raises(DeviceFailed, match="chmod 0600"):
        device.write(LINE)
    assert path.read_bytes() == b""


def test_a_symlink_is_refused_and_its_target_untouched(path: Path, device: FileDevice, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch(0o600)
    path.symlink_to(target)
    with pytest.raises(DeviceFailed, match="symlink"):
        device.write(LINE)
    assert target.read_bytes() == b""


def test_a_dangling_symlink_creates_nothing(path: Path, device: FileDevice, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "target")
    with pytest.raises(DeviceFailed):
        device.write(LINE)
    assert not (tmp_path / "target").exists()


def test_a_second_name_of_another_file_is_refused(path: Path, device: FileDevice, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch(0o600)
    path.hardlink_to(other)
    with pytest.raises(DeviceFailed, match="hard link"):
        device.write(LINE)
    assert other.read_bytes() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(path: Path, device: FileDevice) -> None:
    path.touch(0o600)
    os.chown(path, 65534, -1)
    with pytest.raises(DeviceFailed, match="another user"):
        device.write(LINE)


def test_a_fifo_without_a_reader_is_refused_and_does_not_hang(path: Path, device: FileDevice) -> None:
    os.mkfifo(path, 0o600)
    with pytest.raises(DeviceFailed, match="not a plain file"):
        device.write(LINE)


def test_a_folder_in_its_place_is_refused(path: Path, device: FileDevice) -> None:
    path.mkdir()
    with pytest.raises(DeviceFailed, match="it is a folder"):
        device.write(LINE)


def test_a_missing_folder_is_a_failure_until_it_is_there(tmp_path: Path) -> None:
    device = FileDevice(FileOptions(str(tmp_path / "later" / "audit.log")))
    with pytest.raises(DeviceFailed, match="folder does not exist"):
        device.write(LINE)
    (tmp_path / "later").mkdir()
    device.write(LINE)
    device.close()
    assert (tmp_path / "later" / "audit.log").read_bytes() == LINE


def test_a_folder_that_became_a_symlink_after_the_check_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    limits = Limits(from_api=True, allowed_folders=(str(tmp_path / "logs"),))
    device = open_file_device({"file_path": f"{tmp_path}/logs/audit.log"}, limits)
    (tmp_path / "logs").rmdir()
    (tmp_path / "logs").symlink_to(elsewhere)
    with pytest.raises(DeviceFailed, match="symlink"):
        device.write(LINE)
    assert list(elsewhere.iterdir()) == []


def test_a_symlinked_folder_of_the_configuration_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    device = open_file_device({"file_path": f"{tmp_path}/link/audit.log"}, Limits(from_api=False))
    device.write(LINE)
    device.close()
    assert (tmp_path / "real" / "audit.log").read_bytes() == LINE


def test_a_path_relative_to_the_working_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    device = open_file_device({"file_path": "audit.log"}, Limits(from_api=False))
    device.write(LINE)
    device.close()
    assert (tmp_path / "audit.log").read_bytes() == LINE


def test_no_record_goes_into_a_deleted_file(path: Path, device: FileDevice) -> None:
    device.write(LINE)
    path.unlink()
    device.write(b'{"a":2}\n')
    assert path.read_bytes() == b'{"a":2}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_replaced_file_gets_the_record(path: Path, device: FileDevice, tmp_path: Path) -> None:
    device.write(LINE)
    other = tmp_path / "other"
    other.touch(0o600)
    other.rename(path)
    device.write(LINE)
    assert path.read_bytes() == LINE


def test_a_deleted_file_in_a_deleted_folder_is_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    device = FileDevice(FileOptions(str(folder / "audit.log")))
    device.write(LINE)
    (folder / "audit.log").unlink()
    folder.rmdir()
    with pytest.raises(DeviceFailed):
        device.write(LINE)


def test_a_renamed_file_is_written_until_the_device_is_reopened(path: Path, device: FileDevice, tmp_path: Path) -> None:
    device.write(b"1\n")
    path.rename(tmp_path / "audit.log.1")
    device.write(b"2\n")
    device.reopen()
    device.write(b"3\n")
    assert (tmp_path / "audit.log.1").read_bytes() == b"1\n2\n"
    assert path.read_bytes() == b"3\n"


def test_reopening_says_when_it_fails(path: Path, device: FileDevice) -> None:
    device.write(LINE)
    path.unlink()
    path.touch(0o600)
    path.chmod(0o644)
    with pytest.raises(DeviceFailed, match="chmod 0600"):
        device.reopen()
    path.unlink()
    path.mkdir()
    with pytest.raises(DeviceFailed, match="it is a folder"):
        device.reopen()


def test_a_full_disk_is_a_failure_and_leaves_no_torn_line_once_there_is_room(path: Path, device: FileDevice) -> None:
    device.write(LINE)
    with file_size_limit(len(LINE) * 2 + 3), pytest.raises(DeviceFailed, match="as large as it may be"):
        device.write(b'{"a":2}\n{"a":3}\n{"a":4}\n')
    device.write(b'{"a":5}\n')
    assert path.read_bytes() == LINE + b'{"a":2}\n{"a\n{"a":5}\n'


def test_a_line_that_a_killed_process_left_torn_is_ended_first(path: Path, device: FileDevice) -> None:
    path.touch(0o600)
    path.write_bytes(b'{"a":')
    device.write(LINE)
    assert path.read_bytes() == b'{"a":\n' + LINE


def shorten_writes(monkeypatch: pytest.MonkeyPatch, *counts: int) -> None:
    """The next writes take that many bytes and no more."""
    left, real = list(counts), os.write

    def write(descriptor: int, content: bytes) -> int:
        return real(descriptor, content[: left.pop(0)] if left else content)

    monkeypatch.setattr(os, "write", write)


def test_a_short_write_is_completed_with_the_cut_line_written_whole(
    path: Path, device: FileDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_writes(monkeypatch, 10)
    device.write(b'{"a":1}\n{"a":2}\n')
    assert path.read_bytes() == b'{"a":1}\n{"\n{"a":2}\n'


def test_a_short_write_between_two_lines_leaves_no_trace(
    path: Path, device: FileDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_writes(monkeypatch, 8)
    device.write(b'{"a":1}\n{"a":2}\n')
    assert path.read_bytes() == b'{"a":1}\n{"a":2}\n'


def test_writes_that_stay_short_are_a_failure(path: Path, device: FileDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_writes(monkeypatch, 3, 3, 3, 3)
    with pytest.raises(DeviceFailed, match="only a part"):
        device.write(LINE)
    monkeypatch.undo()
    device.write(LINE)
    assert path.read_bytes().endswith(b"\n" + LINE)


def test_a_failure_names_no_path(tmp_path: Path) -> None:
    for name in ("CANARY", "CANARY-folder/x"):
        (tmp_path / "CANARY").mkdir(exist_ok=True)
        with pytest.raises(DeviceFailed) as caught:
            FileDevice(FileOptions(str(tmp_path / name))).write(LINE)
        assert "CANARY" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_descriptors_are_not_inherited_nor_leaked(path: Path) -> None:
    device = FileDevice(FileOptions(str(path)))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        device.write(LINE)
        device.reopen()
    device.close()
    device.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


WRITER = """
import sys
from strongroom.audit.devices.file import FileDevice
from strongroom.audit.devices.file_options import FileOptions
device = FileDevice(FileOptions(sys.argv[1]))
for number in range(2500):
    device.write(b"".join(b"%s %d %d %s.\\n" % (sys.argv[2].encode(), number, part, b"x" * (37 * part)) for part in range(4)))
"""


def test_two_processes_write_ten_thousand_lines_each_and_tear_none(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    seen = {"a": 0, "b": 0}
    for line in path.read_text().splitlines():
        name, number, part, end = line.split(" ")
        assert (int(number), int(part)) == divmod(seen[name], 4)
        assert end == "x" * (37 * int(part)) + "."
        seen[name] += 1
    assert seen == {"a": 10_000, "b": 10_000}


def test_standard_output_takes_everything_and_is_never_closed() -> None:
    reading, writing = os.pipe()
    device: Device = StreamDevice(writing)
    device.write(LINE * 3)
    device.reopen()
    device.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        assert stream.read() == LINE * 3


def test_a_stream_that_nobody_reads_any_more_is_a_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(DeviceFailed):
        StreamDevice(writing).write(LINE)
    os.close(writing)


STREAM_WRITER = """
import sys
from strongroom.audit.devices.file import StreamDevice
device = StreamDevice(1)
for number in range(40):
    device.write(b"".join(b"%s %d %s.\\n" % (sys.argv[1].encode(), number, b"x" * 5000) for _ in range(20)))
"""


@pytest.mark.parametrize("waits", [True, False], ids=["blocking", "non-blocking"])
def test_processes_that_share_a_stream_do_not_write_into_each_others_lines(*, waits: bool) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, waits)
    command = [sys.executable, "-c", STREAM_WRITER]
    writers = [subprocess.Popen([*command, name], stdout=writing) for name in "abc"]
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        lines = stream.read().splitlines()
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(lines) == 3 * 40 * 20
    assert {line.split(b" ")[2] for line in lines} == {b"x" * 5000 + b"."}


def test_the_lock_of_a_stream_is_asked_for_and_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel would take that wait, together with one for another lock, for a deadlock of two processes, and fail the other."""
    asked: list[int] = []

    def lockf(_: int, command: int) -> None:
        asked.append(command)
        if len(asked) < 3:
            raise BlockingIOError

    monkeypatch.setattr("strongroom.audit.devices.file.fcntl.lockf", lockf)
    reading, writing = os.pipe()
    StreamDevice(writing).write(LINE)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        assert stream.read() == LINE
    assert asked == [fcntl.LOCK_EX | fcntl.LOCK_NB] * 3 + [fcntl.LOCK_UN]


def test_special_paths_open_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_file_device({"file_path": "stdout"}, Limits(from_api=False)), StreamDevice)
    discard = open_file_device({"file_path": "discard"}, Limits(from_api=False))
    discard.write(LINE)
    discard.reopen()
    discard.close()
    assert list(tmp_path.iterdir()) == []
