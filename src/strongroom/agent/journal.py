"""What the agent says, on standard error: one line for each event, with a time, a level and the part that speaks.

No value, no token and nothing that was sent to log in is ever in it: texts come from this room, or from ``failure_text``.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from strongroom.client.errors import ApiError, printable
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import rfc3339

LEVELS = ("trace", "debug", "info", "warn", "error")
_SHOWN_MAX = 300
_SHORTEST_MASKED = 4


class Journal:
    """Writes lines of at least ``level`` through ``write``. From any thread. Never raises for want of a place to write."""

    def __init__(self, level: str, clock: Clock, write: Callable[[str], Any]) -> None:
        self._threshold = LEVELS.index(level)
        self._clock = clock
        self._write = write
        self._turn = threading.Lock()

    def debug(self, part: str, text: str) -> None:
        """For whoever looks for a fault."""
        self._line("debug", part, text)

    def info(self, part: str, text: str) -> None:
        """Something happened as it should."""
        self._line("info", part, text)

    def warn(self, part: str, text: str) -> None:
        """Something may not be as somebody expects."""
        self._line("warn", part, text)

    def error(self, part: str, text: str) -> None:
        """Something does not work."""
        self._line("error", part, text)

    def _line(self, level: str, part: str, text: str) -> None:
        if LEVELS.index(level) < self._threshold:
            return
        stamp = rfc3339(self._clock.now_ns())[:23] + "Z"
        shown = " ".join(printable(text).split())
        # A log on a full disk, or whose reader is gone, must end no part of the agent: the line is lost, and the next one is tried.
        with self._turn, contextlib.suppress(OSError, ValueError):
            self._write(f"{stamp} [{level.upper()}] {part}: {shown}\n")


class Told:
    """Says the same failure once, however often it happens, until something else happens."""

    def __init__(self, journal: Journal, part: str) -> None:
        self._journal = journal
        self._part = part
        self._last = ""

    def failed(self, text: str) -> None:
        """It does not work, for this reason."""
        if text != self._last:
            self._journal.error(self._part, text)
        else:
            self._journal.debug(self._part, text)
        self._last = text

    def works(self) -> bool:
        """It works; whether it did not before."""
        was_broken, self._last = bool(self._last), ""
        return was_broken


def failure_text(error: Exception, *sent: str | None) -> str:
    """What to say about ``error``, without anything of what was ``sent``, should the server repeat it."""
    if isinstance(error, ApiError):
        said = "; ".join(error.errors) if error.errors else "no reason given"
        text = f"the server answered {error.status}: {' '.join(said.split())}"
    else:
        text = " ".join(str(error).split())
    for value in sent:
        if value and len(value) >= _SHORTEST_MASKED:
            text = text.replace(value, "[redacted]")
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
