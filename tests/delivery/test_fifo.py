from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.processes import wait_until

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.fifo import Fifo


def test_each_reader_gets_the_content_until_nobody_does(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    contents = iter([b"one", b"two"])
    fifo = Fifo(str(path), lambda: next(contents), 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"one"
    assert path.read_bytes() == b"two"
    wait_until(lambda: not path.exists())
    fifo.close()


def test_any_number_of_reads_can_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    fifo = Fifo(str(path), lambda: b"x" * 200_000, 0)
    assert [len(path.read_bytes()) for _ in range(5)] == [200_000] * 5
    fifo.close()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_reads_nothing_keeps_nobody(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    fifo = Fifo(str(path), lambda: b"x" * 1_000_000, 0)
    with path.open("rb") as lazy:
        lazy.read(1)
        fifo.close()
    assert not path.exists()


def test_what_stands_there_already_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    path.write_text("mine")
    with pytest.raises(CannotDeliver, match="exists already"):
        Fifo(str(path), lambda: b"", 1)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CannotDeliver, match="exists already"):
        Fifo(str(tmp_path / "link"), lambda: b"", 1)
    with pytest.raises(CannotDeliver, match="no such file"):
        Fifo(str(tmp_path / "none" / "x"), lambda: b"", 1)


def test_what_was_put_in_its_place_stays(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    fifo = Fifo(str(path), lambda: b"x", 1)
    path.unlink()
    path.write_text("mine")
    fifo.close()
    assert path.read_text() == "mine"


LEFT = """
import os, signal, sys
from strongroom.delivery.fifo import Fifo
Fifo(sys.argv[1], lambda: b"of one who was killed", 0)
print("ready", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_pipe_that_somebody_who_was_killed_has_left_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    words = [sys.executable, "-c", LEFT, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        assert path.read_bytes() == b"of one who was killed"
        with pytest.raises(CannotDeliver, match="exists already"):
            Fifo(str(path), lambda: b"mine", 1)
        assert path.read_bytes() == b"of one who was killed"
        other.communicate(b"")
    assert path.is_fifo()
    fifo = Fifo(str(path), lambda: b"mine", 1)
    assert path.read_bytes() == b"mine"
    fifo.close()


def test_a_pipe_that_is_not_like_ours_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o644)
    with pytest.raises(CannotDeliver, match="exists already"):
        Fifo(str(tmp_path / "pipe"), lambda: b"", 1)
