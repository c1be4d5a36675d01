from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import wait_until

from strongroom.delivery.credentials import CredentialsDirectory, check_file_name, is_in_memory, kind_of_mount
from strongroom.delivery.environment import CannotDeliver
from strongroom.logical.secret import Secret


def test_each_credential_is_a_file_for_its_reader_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.delivery.credentials._parent", lambda _: (str(tmp_path), False))
    folder = CredentialsDirectory({})
    path = Path(folder.path)
    folder.write({"A": Secret("1"), "B": Secret("zero\0byte")})
    assert path.stat().st_mode & 0o777 == 0o700
    assert {entry.name: entry.stat().st_mode & 0o777 for entry in path.iterdir()} == {"A": 0o400, "B": 0o400}
    assert (path / "B").read_bytes() == b"zero\0byte"
    folder.write({"A": Secret("2")})
    assert {entry.name: entry.read_text() for entry in path.iterdir()} == {"A": "2"}
    folder.remove()
    assert not path.exists()
    folder.remove()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "é", "a\nb", "a" * 250])
def test_a_name_that_no_file_should_have_is_refused(name: str) -> None:
    with pytest.raises(CannotDeliver, match="cannot be the name of a credential"):
        check_file_name(name, "the key")


def test_the_folder_lies_in_memory_where_the_system_has_such_a_place() -> None:
    folder = CredentialsDirectory({})
    try:
        assert folder.is_in_memory == is_in_memory(folder.path)
    finally:
        folder.remove()


def test_the_nearest_mount_tells_where_a_folder_lies() -> None:
    lines = [
        "21 1 8:1 / / rw - ext4 /dev/root rw\n",
        "22 21 0:5 / /run rw shared:2 - tmpfs tmpfs rw\n",
        "23 21 0:6 / /run/my\\040disk rw - ext4 /dev/b rw\n",
        "broken\n",
    ]
    assert kind_of_mount("/run/user/5", lines) == "tmpfs"
    assert kind_of_mount("/run/my disk/x", lines) == "ext4"
    assert kind_of_mount("/running", lines) == "ext4"
    assert kind_of_mount("/x", []) == ""


LEFT = """
import os, signal, subprocess, sys
from strongroom.delivery import credentials
from strongroom.logical.secret import Secret
credentials._parent = lambda _: (sys.argv[1], False)
folder = credentials.CredentialsDirectory({})
folder.write({"A": Secret("1")})
if sys.argv[2]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    program = subprocess.Popen(["sleep", "600"], env={credentials.VARIABLE: folder.path}, **quiet)
    while not open(f"/proc/{program.pid}/environ").read():
        pass  # it has just begun
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_somebody_who_was_killed_has_left_is_taken_away_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.delivery.credentials._parent", lambda _: (str(tmp_path), False))
    (tmp_path / "strongroom-credentials-of-one-who-begins").mkdir()
    words = [sys.executable, "-c", LEFT, str(tmp_path), ""]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        CredentialsDirectory({}).remove()
        assert len([*tmp_path.iterdir()]) == 2
        other.communicate(b"")
    CredentialsDirectory({}).remove()
    assert [entry.name for entry in tmp_path.iterdir()] == ["strongroom-credentials-of-one-who-begins"]


def test_the_credentials_of_a_program_that_goes_on_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.delivery.credentials._parent", lambda _: (str(tmp_path), False))
    words = [sys.executable, "-c", LEFT, str(tmp_path), "goes on"]
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    [left] = tmp_path.iterdir()
    CredentialsDirectory({}).remove()
    assert (left / "A").read_text() == "1"
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"CREDENTIALS_DIRECTORY={left}".encode() in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)

    def is_gone() -> bool:
        CredentialsDirectory({}).remove()
        return not left.exists()

    wait_until(is_gone)
