"""Processes that share work, and what happens when one of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from copy import copy
from pathlib import Path
from typing import Any

import pytest

from strongroom.scanner.crew import Send, WorkerLost, run_workers
from strongroom.scanner.share import CountedShare
from strongroom.scanner.whereabouts import Whereabouts


def test_every_item_is_taken_by_exactly_one_worker() -> None:
    received: list[Any] = []

    def work(_number: int, send: Send) -> None:
        for sequence in (range(1000), range(5), range(0)):
            send([sequence.stop, list(share.claim(sequence))])

    with closing(CountedShare(3)) as share:
        run_workers(3, work, received.append)

    for stop in (1000, 5, 0):
        assert sorted(item for sequence, items in received if sequence == stop for item in items) == list(range(stop))


def test_large_messages_arrive_whole() -> None:
    received: list[Any] = []

    def work(_number: int, send: Send) -> None:
        for size in (0, 1, 3_000_000):
            send("x" * size)

    run_workers(2, work, received.append)

    assert sorted(map(len, received)) == [0, 0, 1, 1, 3_000_000, 3_000_000]


@pytest.mark.parametrize(("ending", "by"), [("killed", signal.SIGKILL), ("raised", 0), ("left", 0)])
def test_a_worker_that_is_lost_is_told_at_once(ending: str, by: int) -> None:
    def work(number: int, _send: Send) -> None:
        if number == 1:
            die(ending)
        signal.pause()  # it would never end by itself

    with pytest.raises(WorkerLost) as lost:
        run_workers(3, work, list[Any]().append)
    assert (lost.value.number, lost.value.by) == (1, by)


def test_a_process_tells_what_it_has_in_hand_even_when_it_is_dead() -> None:
    with closing(Whereabouts(2)) as whereabouts:
        child = os.fork()
        if child == 0:
            whereabouts.tell(1, "a long name/" + "x" * 5000)
            whereabouts.tell(1, "src/\udcffü.py")
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)

        assert [whereabouts.last_told(number) for number in (0, 1)] == ["", "src/\\udcffü.py"]


def die(ending: str) -> None:
    if ending == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if ending == "left":
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the traceback is not for the test's output
    raise MemoryError


def test_an_error_while_listening_leaves_no_process() -> None:
    def refuse(_message: Any) -> None:
        raise KeyboardInterrupt

    def work(_number: int, send: Send) -> None:
        for number in range(100):
            send(number)

    before = children()
    with pytest.raises(KeyboardInterrupt):
        run_workers(2, work, refuse)
    assert children() <= before


def children() -> set[str]:
    """The processes that are children of this one; one that ended counts until somebody has asked how."""
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())


def test_a_lock_does_not_outlive_its_holder() -> None:
    with closing(CountedShare(2)) as share:
        child = os.fork()
        if child == 0:
            next(share.claim(range(10)))
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)

        assert list(share.claim(range(10))) == list(range(1, 10))


def test_large_files_that_stand_beside_each_other_fall_to_different_workers() -> None:
    with closing(CountedShare(2)) as share:
        first, second = (copy(share).claim(range(1000)) for _ in range(2))

        assert [next(first), next(second)] == [0, 1]


def test_what_is_done_quickly_is_taken_many_at_a_time_and_every_item_once() -> None:
    with closing(CountedShare(2)) as share:
        first, second = (copy(share).claim(range(1000)) for _ in range(2))
        taken = [[next(first) for _ in range(500)], list(second), list(first)]

    assert sorted(number for some in taken for number in some) == list(range(1000))


def test_a_scan_whose_process_is_killed_ends_at_once_and_says_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"x = y + 1\n" * 400_000)
    for number in range(1, 64):
        os.link(tmp_path / "0", tmp_path / str(number))
    command = [sys.executable, "-m", "strongroom", "scan", "dir", str(tmp_path), "-jobs=2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as scan:
        listed = Path(f"/proc/{scan.pid}/task/{scan.pid}/children")
        while len(workers := listed.read_text().split()) < 2:
            os.sched_yield()
        os.kill(int(workers[0]), signal.SIGKILL)
        _, told = scan.communicate()

    assert scan.returncode == 2
    assert "was killed" in told
    assert "not scanned" in told
