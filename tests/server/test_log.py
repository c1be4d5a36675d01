from __future__ import annotations

import io

from tests.kit import JumpingClock

from strongroom.server.log import COMPLAIN_SECONDS, Complaints, Log


def test_what_stays_wrong_is_said_once_a_minute_and_each_thing_by_itself() -> None:
    clock, said = JumpingClock(), io.StringIO()
    complain = Complaints(Log(clock, stream=said), clock)
    for reason in ("the disk is full", "the disk is full", "the folder is gone"):
        complain(reason)
    clock.jump(COMPLAIN_SECONDS)
    complain("the disk is full")
    lines = [line.partition("] ")[2] for line in said.getvalue().splitlines()]
    assert lines == ["the disk is full", "the folder is gone", "the disk is full"]
