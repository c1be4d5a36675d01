"""A listener that is held goes on after its stop, for those who still need its loop; but not for ever."""

from __future__ import annotations

import threading

import pytest
from tests.kit import JumpingClock

from strongroom.http.listener import Listener

PATIENCE = 30.0


def started(clock: JumpingClock, holds: int) -> tuple[Listener, threading.Thread]:
    listener = Listener(lambda _: None, clock)
    for _ in range(holds):
        listener.hold()
    thread = threading.Thread(target=listener.run, daemon=True)
    thread.start()
    return listener, thread


def is_alive(listener: Listener) -> bool:
    """Whether the loop still does what it is asked to, twice over: an end is found out between two rounds."""
    for _ in range(2):
        done = threading.Event()
        listener.call_soon(done.set)
        if not done.wait(PATIENCE):
            return False
    return True


def test_a_listener_that_is_held_works_on_until_the_last_release() -> None:
    listener, thread = started(JumpingClock(), holds=2)
    listener.stop()
    assert is_alive(listener)
    listener.release()
    assert is_alive(listener)
    listener.release()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("within", [None, 1.0])
def test_the_time_to_stop_bounds_the_holding_too(within: float | None) -> None:
    clock = JumpingClock()
    listener, thread = started(clock, holds=1)
    listener.stop()
    assert is_alive(listener)
    listener.stop(within_seconds=within)  # a second one can make it shorter
    assert is_alive(listener)
    clock.jump(1.5 if within else 10.5)
    listener.call_soon(lambda: None)
    thread.join(PATIENCE)
    assert not thread.is_alive()
