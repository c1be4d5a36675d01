from __future__ import annotations

import os
import signal
import threading

import pytest
from tests.alone import alone

from strongroom.sharing.turn import Turn


def test_threads_take_turns() -> None:
    turn, numbers = Turn(1), [0]

    def count() -> None:
        for _ in range(2000):
            with turn:
                numbers[0] += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [8000]


def test_a_turn_ends_with_an_error_too() -> None:
    turn = Turn(2)
    with pytest.raises(LookupError), turn:
        raise LookupError
    with turn:
        pass


@alone
def test_a_process_that_is_killed_in_its_turn_does_not_keep_it() -> None:
    turn = Turn(2)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with turn:
            os.write(writing, b"x")
            signal.pause()
    os.read(reading, 1)
    entered = threading.Event()

    def enter() -> None:
        with turn:
            entered.set()

    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    assert not entered.wait(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert entered.wait(10)
    thread.join(10)
    os.close(reading)
    os.close(writing)
