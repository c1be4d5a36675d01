from __future__ import annotations

import io

import pytest
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


class Unwritable(io.StringIO):
    """A stream that fails until it is told otherwise."""

    def __init__(self, failure: Exception | None) -> None:
        super().__init__()
        self.failure = failure

    def flush(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.mark.parametrize("failure", [BrokenPipeError(), OSError(28, "full"), ValueError("closed")], ids=repr)
def test_a_log_that_cannot_be_written_ends_nothing_and_is_tried_again(failure: Exception) -> None:
    stream = Unwritable(failure)
    log = Log(JumpingClock(), stream=stream)
    log.error("lost")
    log.failure(KeyError("lost"))
    stream.failure = None
    log.info("kept")
    assert stream.getvalue().splitlines()[-1].endswith("kept")
