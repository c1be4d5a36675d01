"""Lines and columns of places in a run of bytes."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.scanner.fragment import Fragment


class Place(NamedTuple):
    """Where a run of bytes stands: lines and columns from 1, the end column behind the last byte."""

    line: int
    end_line: int
    column: int
    end_column: int


_NEARBY = 1000
"""Bytes of a line that are looked at on either side of a place."""


class Lines:
    """Counts the lines of a fragment. Asked in rising order, it reads each byte once."""

    def __init__(self, fragment: Fragment) -> None:
        self._fragment = fragment
        self._data = fragment.data
        self._counted = 0
        self._line = fragment.line
        self._line_start = 1 - fragment.column

    def place(self, start: int, end: int) -> Place:
        """The place of `data[start:end]`."""
        if start < self._counted:
            self._counted, self._line, self._line_start = 0, self._fragment.line, 1 - self._fragment.column
        breaks, last_break = self._breaks(self._counted, start)
        self._counted = start
        self._line += breaks
        self._line_start = self._line_start if last_break < 0 else last_break + 1
        inner, inner_break = self._breaks(start, max(start, end - 1))
        end_start = self._line_start if inner_break < 0 else inner_break + 1
        return Place(self._line, self._line + inner, start - self._line_start + 1, end - end_start + 1)

    def text(self, start: int, end: int) -> bytes:
        """The whole lines that hold `data[start:end]`; of a very long line only the bytes nearby."""
        first = max(0, start - _NEARBY)
        before = self._data.rfind(b"\n", first, start)
        after = self._data.find(b"\n", end, end + _NEARBY)
        return self._data[before + 1 if before >= 0 else first : after if after >= 0 else end + _NEARBY]

    def _breaks(self, start: int, end: int) -> tuple[int, int]:
        """How many line breaks are in `data[start:end]`, and where the last one is (-1: nowhere)."""
        count = self._data.count(b"\n", start, end)
        return count, self._data.rfind(b"\n", start, end) if count else -1
