from __future__ import annotations

from strongroom.delivery.schedule import LONGEST_SECONDS, Schedule


class Drawn:
    """Entropy that gives the same bytes each time."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def bytes(self, count: int) -> bytes:
        return self._content * count

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self._content * len(buffer)


def test_waits_spread_around_the_interval() -> None:
    assert Schedule(10, Drawn(b"\0")).next_wait() == 8
    assert 11.9 < Schedule(10, Drawn(b"\xff")).next_wait() < 12


def test_failures_make_waits_longer_up_to_an_end_and_an_answer_makes_them_short_again() -> None:
    schedule = Schedule(10, Drawn(b"\0"))
    assert [schedule.failed() for _ in range(3)] == [True, False, False]
    assert schedule.next_wait() == 64
    for _ in range(2000):
        schedule.failed()
    assert schedule.next_wait() == 0.8 * LONGEST_SECONDS
    assert schedule.answered()
    assert not schedule.answered()
    assert schedule.next_wait() == 8


def test_an_interval_that_is_longer_than_the_longest_wait_is_kept() -> None:
    assert Schedule(1000, Drawn(b"\0")).next_wait() == 800
