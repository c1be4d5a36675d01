"""ASCII text in two or four bytes a character, within other data: strings in programs, registry hives, encoded commands.

A file that is wholly in UTF-16 or UTF-32 is turned into UTF-8 before it is scanned (`containers/`), so that its lines are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strongroom.scanner.decoding.decoded import Decoded, Decoder, near
from strongroom.scanner.decoding.late import late_pattern

_SHORTEST = 8
"""Characters of a run that is worth decoding."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Maps decoded bytes to groups of `width` bytes: those of several runs, with a line break after each."""

    width: int
    decoded_at: Sequence[int]
    encoded_at: Sequence[int]

    def __call__(self, start: int, end: int) -> tuple[int, int]:
        return self._at(start), self._at(max(start, end - 1)) + self.width

    def _at(self, offset: int) -> int:
        from bisect import bisect_right

        run = bisect_right(self.decoded_at, offset) - 1
        return self.encoded_at[run] + (offset - self.decoded_at[run]) * self.width


@dataclass(frozen=True, slots=True)
class _Widened:
    """Decodes runs of ASCII characters that stand at place `column` of `width` bytes, the others being zero."""

    width: int
    column: int

    def pattern(self) -> bytes:
        zeros = rb"\x00"
        return zeros * self.column + rb"[\x09\x0a\x0d\x20-\x7e]" + zeros * (self.width - 1 - self.column)

    def __call__(self, data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
        runs = late_pattern(rb"(?:" + self.pattern() + rb"){%d,}" % _SHORTEST)
        parts: list[bytes] = []
        decoded_at, encoded_at, length = [], [], 0
        for found in self._found(runs, data, ends):
            part = found[0][self.column :: self.width]
            parts.append(part)
            decoded_at.append(length)
            encoded_at.append(found.start())
            length += len(part) + 1
        if parts:
            yield Decoded(b"\n".join(parts), _Columns(self.width, decoded_at, encoded_at))

    def _found(self, runs: re.Pattern[bytes], data: bytes, ends: Sequence[int]) -> Iterator[re.Match[bytes]]:
        """The runs that the gate saw, each whole."""
        done = 0
        least = self.width * _SHORTEST
        for first, last in near(ends, least):
            done = max(done, first)
            while (begun := runs.search(data, done, min(len(data), last + least))) and (
                found := runs.match(data, begun.start())
            ):
                yield found
                done = found.end()


def _decoder(name: str, width: int, column: int) -> Decoder:
    widened = _Widened(width, column)
    return Decoder(name, rb"(?:" + widened.pattern() + rb"){%d}" % _SHORTEST, widened)


UTF16_LITTLE = _decoder("utf-16-le", 2, 0)
UTF16_BIG = _decoder("utf-16-be", 2, 1)
UTF32_LITTLE = _decoder("utf-32-le", 4, 0)
UTF32_BIG = _decoder("utf-32-be", 4, 3)
