"""One record is one line of printable ASCII: nothing in it can end the line, colour a terminal or hide (SECURITY D-19)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from strongroom.encoding.json import encode
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import NANOSECONDS, rfc3339

REFUSED_PATH_LENGTH_MAX = 256
_NOT_PLAIN = re.compile(r"[^ -~]")


def line_of(value: Any) -> bytes:
    r"""``value`` as JSON without a line break, in printable ASCII. Raises TypeError for what is not JSON.

    The JSON encoder escapes control characters already; all else that is not ASCII stands inside strings, where ``\uXXXX`` may
    replace it (RFC 8259, section 7).
    """
    try:
        line = encode(value)
    except UnicodeEncodeError:
        line = encode(_escape_surrogates(value))
    if line.isascii() and b"\x7f" not in line:
        return line
    return _NOT_PLAIN.sub(_escape, line.decode()).encode("ascii")


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def _escape_surrogates(value: Any) -> Any:
    """``value`` with each lone surrogate, which UTF-8 cannot hold, as the replacement character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_escape_surrogates(name): _escape_surrogates(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escape_surrogates(item) for item in value]
    return value


def refused_path(path: str) -> str:
    """A path that is not canonical, in a form that can do no harm: percent-encoded and cut at 256 characters."""
    return quote(path[:REFUSED_PATH_LENGTH_MAX], safe="/", errors="replace")[:REFUSED_PATH_LENGTH_MAX]


class Stamp:
    """The time of a record, as text. Remembers the last second, because many records share it."""

    def __init__(self, clock: Clock) -> None:
        self._now_ns = clock.now_ns
        self._second: tuple[int, str] = (-NANOSECONDS, "")
        """When the last second began, and its text."""

    def now(self) -> str:
        """The time now, RFC 3339 in UTC with nanoseconds."""
        instant = self._now_ns()
        begin, text = self._second
        fraction = instant - begin
        if not 0 <= fraction < NANOSECONDS:
            second, fraction = divmod(instant, NANOSECONDS)
            text = rfc3339(second * NANOSECONDS)[:-10]
            self._second = (second * NANOSECONDS, text)
        return "%s%09dZ" % (text, fraction)  # noqa: UP031 -- once for each line, and a third faster
