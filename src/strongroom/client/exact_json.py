"""JSON whose numbers come back out exactly as they came in: ``1.50`` stays ``1.50``, whole numbers of any size stay whole.

A secret's value is the user's; reading it and writing it back (``kv patch``, ``kv rollback``) must not change a digit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, Self


class ExactFloat(float):
    """A float that remembers the digits it was written with."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """``text`` is a number in JSON's grammar."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def decode(text: str | bytes) -> Any:
    """The value of ``text``. Raises ValueError, also for what is nested too deep to read."""
    try:
        return json.loads(text, parse_float=ExactFloat)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def encode(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """``value`` as JSON: on one line, or with ``indent`` spaces per level as Go's encoder lays it out."""
    writer = _Writer(step=" " * (indent or 0), colon=":" if indent is None else ": ", sort_keys=sort_keys)
    return "".join(writer.pieces(value, "" if indent is None else "\n"))


class _Writer:
    def __init__(self, *, step: str, colon: str, sort_keys: bool) -> None:
        self.step = step
        self.colon = colon
        self.sort_keys = sort_keys

    def pieces(self, value: Any, line: str) -> Iterator[str]:
        if isinstance(value, Mapping):
            keys = sorted(value) if self.sort_keys else value
            yield from self._bracketed("{", ((text_of(str(key)) + self.colon, value[key]) for key in keys), "}", line)
        elif isinstance(value, list | tuple):
            yield from self._bracketed("[", (("", item) for item in value), "]", line)
        elif isinstance(value, str):
            yield text_of(value)
        elif isinstance(value, ExactFloat):
            yield value.text
        else:
            yield json.dumps(value)

    def _bracketed(self, opening: str, members: Iterator[tuple[str, Any]], closing: str, line: str) -> Iterator[str]:
        deeper = line + self.step if line else ""
        empty = True
        yield opening
        for label, member in members:
            yield (deeper if empty else "," + deeper) + label
            yield from self.pieces(member, deeper)
            empty = False
        yield closing if empty else line + closing


def text_of(text: str) -> str:
    """One JSON string. The two separators that break a line in JavaScript are escaped, as Go's encoder does."""
    return encode_basestring(text).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
