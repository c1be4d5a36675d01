"""Processes that stand still, found at a real one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from tests.kit import JumpingClock
from tests.processes import wait_until

from strongroom.server.standstill import LOOKS, Standstill, is_stopped


@pytest.fixture
def sleeper() -> Iterator[int]:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_process_that_stands_still_for_long_is_ended_once(sleeper: int) -> None:
    ended: list[int] = []
    standstill = Standstill([sleeper], ended.append)
    os.kill(sleeper, signal.SIGSTOP)
    wait_until(lambda: is_stopped(sleeper))
    for _ in range(LOOKS - 1):
        standstill.look()
    assert ended == []
    for _ in range(LOOKS):
        standstill.look()
    assert ended == [sleeper]


def test_a_process_that_goes_on_is_left_alone(sleeper: int) -> None:
    ended: list[int] = []
    standstill = Standstill([sleeper], ended.append)
    for _ in range(LOOKS):
        os.kill(sleeper, signal.SIGSTOP)
        wait_until(lambda: is_stopped(sleeper))
        standstill.look()
        os.kill(sleeper, signal.SIGCONT)
        wait_until(lambda: not is_stopped(sleeper))
        standstill.look()
    assert ended == []


def test_who_was_stopped_with_the_others_does_not_count_what_it_sees_first(sleeper: int) -> None:
    ended: list[int] = []
    clock = JumpingClock()
    standstill = Standstill([sleeper], ended.append, clock=clock, every_seconds=2)
    os.kill(sleeper, signal.SIGSTOP)
    wait_until(lambda: is_stopped(sleeper))
    for _ in range(2 * LOOKS):
        since = clock.monotonic()
        clock.jump(6)
        standstill.look_after(since)
    assert ended == []
    for _ in range(LOOKS):
        since = clock.monotonic()
        clock.jump(2)
        standstill.look_after(since)
    assert ended == [sleeper]


def test_a_process_that_is_gone_does_not_stand_still() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    assert not is_stopped(pid)


def test_it_looks_by_itself_until_it_is_told_to_stop(sleeper: int) -> None:
    ended = threading.Event()
    standstill = Standstill([sleeper], lambda _: ended.set(), every_seconds=0.001)
    standstill.start()
    os.kill(sleeper, signal.SIGSTOP)
    assert ended.wait(30)
    standstill.stop()
    ended.clear()
    os.kill(sleeper, signal.SIGCONT)
    assert not ended.is_set()
