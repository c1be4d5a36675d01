"""The server's own log, on standard error: what the process does, never what a client sent.

A line has a time, a level, a message that we wrote, and fields from a fixed list. Of a mistake of ours it names the kind of exception
and the places it came through, and never its text, which could hold a value (SECURITY D-1, D-19).
"""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TextIO

from strongroom.encoding import json
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import rfc3339

LEVELS = ("trace", "debug", "info", "warn", "error")
_FRAMES_MAX = 12


class Log:
    """Writes lines of at least ``level``, as text or as JSON. Safe to use from several threads."""

    def __init__(
        self, clock: Clock, *, level: str = "info", as_json: bool = False, stream: TextIO | None = None
    ) -> None:
        self._clock = clock
        self._least = LEVELS.index(level) if level in LEVELS else LEVELS.index("info")
        self._as_json = as_json
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()

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

    def _write(self, level: str, message: str) -> None:
        if LEVELS.index(level) < self._least:
            return
        time = rfc3339(self._clock.now_ns())
        if self._as_json:
            line = json.encode({"@timestamp": time, "@level": level, "@message": message}).decode()
        else:
            shown = "".join(character if character.isprintable() else "?" for character in message)
            line = f"{time} [{level.upper()}] {shown}"
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()
