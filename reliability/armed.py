"""A server with failpoints: ``STRONGROOM_FAILPOINTS=before_commit=kill@3 python -m reliability.armed CONFIGURATION``.

This program is the only way to arm a point of ``strongroom.failpoints``, and no part of the product. The variable holds one or more of

    POINT=ACTION[@N][+]        separated by commas

``ACTION`` is ``kill`` (SIGKILL to the process itself), ``error`` (what the place could raise by itself) or ``sleep:MILLISECONDS``. It
happens when the point is reached for the Nth time (the first, where N is left out), and with ``+`` from then on. Each process of a server
counts for itself. At SIGUSR1 it does what the file at ``STRONGROOM_FAILPOINTS_FILE`` says from then on, instead.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import apsw

from strongroom import failpoints
from strongroom.failpoints import NAMES, Action, Name
from strongroom.logical.errors import AuditUnavailable
from strongroom.physical.store import Unavailable
from strongroom.server import serve

VARIABLE = "STRONGROOM_FAILPOINTS"
FILE_VARIABLE = "STRONGROOM_FAILPOINTS_FILE"
_FORM = re.compile(r"(?P<name>[a-z_]+)=(?P<act>kill|error|sleep:(?P<ms>\d+))(?:@(?P<at>\d+))?(?P<on>\+?)")
_OF_DATABASE = frozenset({"before_store_begin", "after_store_begin", "before_commit", "after_commit_before_ack"})


@dataclass
class Point:
    """An armed point, and how often it was reached."""

    act: Action
    at: int
    goes_on: bool
    reached: int = 0

    def __call__(self) -> None:
        """The point is reached."""
        self.reached += 1
        if self.reached == self.at or (self.goes_on and self.reached > self.at):
            self.act()


def parse(text: str) -> dict[Name, Action]:
    """What the variable says. Raises ValueError."""
    return dict(_parse_one(part.strip()) for part in text.split(",") if part.strip())


def _parse_one(text: str) -> tuple[Name, Action]:
    found = _FORM.fullmatch(text)
    name: Name | None = next((known for known in NAMES if found is not None and known == found["name"]), None)
    if found is None or name is None:
        raise ValueError(f"{text!r} is no failpoint")
    return name, Point(
        _act(name, found["act"], int(found["ms"] or 0)), int(found["at"] or 1), goes_on=bool(found["on"])
    )


def _act(name: Name, kind: str, milliseconds: int) -> Callable[[], None]:
    if kind == "kill":
        return lambda: os.kill(os.getpid(), signal.SIGKILL)
    if kind == "error":
        return lambda: _fail(name)
    return lambda: time.sleep(milliseconds / 1000)


def _fail(name: Name) -> None:
    if name in _OF_DATABASE:
        raise apsw.IOError
    if "audit" in name:
        raise AuditUnavailable
    raise Unavailable("a failpoint was reached")


def _arm_again(number: int, frame: FrameType | None) -> None:
    del number, frame
    failpoints.arm(parse(Path(os.environ[FILE_VARIABLE]).read_text("utf-8")))


if __name__ == "__main__":
    failpoints.arm(parse(os.environ.get(VARIABLE, "")))
    signal.signal(signal.SIGUSR1, _arm_again)
    sys.exit(serve.run(sys.argv[1:]))
