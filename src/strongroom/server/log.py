"""The server's own log, on standard error: what the process does, never what a client sent.

A line has a time, a level, a message that we wrote, and fields from a fixed list. Of a mistake of ours it names the kind of exception
and the places it came through, and never its text, which could hold a value (SECURITY D-1, D-19).
"""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

from strongroom.encoding import json
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import rfc3339

LEVELS = ("trace", "debug", "info", "warn", "error")
_FRAMES_MAX = 12
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-/")
_VALUE_CHARACTERS_MAX = 128
COMPLAIN_SECONDS = 60.0
"""How often at most the log is told that the same thing is still wrong."""


class Field(StrEnum):
    """All that a line may say besides its message: nothing of it comes from a body, a path or a header."""

    REQUEST_ID = "request_id"
    STATUS = "status"
    OPERATION = "operation"
    MOUNT_TYPE = "mount_type"
    DURATION_MS = "duration_ms"
    REMOTE_ADDRESS = "remote_address"


class Log:
    """Writes lines of at least ``level``, as text or as JSON. Safe to use from several threads. Never raises for want of a place to write."""

    def __init__(
        self, clock: Clock, *, level: str = "info", as_json: bool = False, stream: TextIO | None = None
    ) -> None:
        self._clock = clock
        self._least = LEVELS.index(level) if level in LEVELS else LEVELS.index("info")
        self._as_json = as_json
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()

    def shows(self, level: str) -> bool:
        """Whether lines of ``level`` are written at all."""
        return LEVELS.index(level) >= self._least

    def event(self, level: str, message: str, fields: Mapping[Field, str | int | float]) -> None:
        """A line with fields. Characters of a value that could be taken for something else are replaced."""
        self._write(level, message, {name: _plain(value) for name, value in fields.items()})

    def info(self, message: str) -> None:
        """Something that an operator wants to know."""
        self._write("info", message)

    def warning(self, message: str) -> None:
        """Something that an operator should look at."""
        self._write("warn", message)

    def error(self, message: str) -> None:
        """Something that is wrong."""
        self._write("error", message)

    def failure(self, failure: BaseException) -> None:
        """A mistake of ours: the kind of the exception and where it arose, without its text."""
        frames = traceback.extract_tb(failure.__traceback__)[-_FRAMES_MAX:]
        places = " < ".join(
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
        )
        self._write("error", f"internal failure: {type(failure).__name__} at {places}")

    def _write(self, level: str, message: str, fields: Mapping[Field, str | int | float] | None = None) -> None:
        if not self.shows(level):
            return
        time = rfc3339(self._clock.now_ns())
        if self._as_json:
            members = {"@timestamp": time, "@level": level, "@message": message}
            line = json.encode({**members, **{name.value: value for name, value in (fields or {}).items()}}).decode()
        else:
            shown = "".join(character if character.isprintable() else "?" for character in message)
            said = "".join(f" {name}={value}" for name, value in (fields or {}).items())
            line = f"{time} [{level.upper()}] {shown}{said}"
        # A log on a full disk, or whose reader is gone, must not end the service: the line is lost, and the next one is tried.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()


class Complaints:
    """Tells the log of what every request finds wrong: once, and again each minute for as long as it lasts. Safe for threads."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._told: dict[str, float] = {}

    def __call__(self, reason: str) -> None:
        """Say what is wrong, in words of ours."""
        now = self._clock.monotonic()
        if now - self._told.get(reason, -COMPLAIN_SECONDS) >= COMPLAIN_SECONDS:
            self._told[reason] = now
            self._log.error(reason)


def _plain(value: str | float) -> str | int | float:
    if not isinstance(value, str):
        return value
    return "".join(one if one in _PLAIN else "?" for one in value[:_VALUE_CHARACTERS_MAX])
