"""What a decoder yields: bytes that were written another way, and where each of them stood."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from strongroom.scanner.expressions import DECODER_SHIFT
from strongroom.scanner.layers import Locate


class Decoded(NamedTuple):
    """Bytes that a decoder uncovered. `locate(start, end)` is the smallest range of the encoded bytes that holds them."""

    data: bytes
    locate: Locate

    def __repr__(self) -> str:
        return f"<Decoded, {len(self.data)} bytes>"


@dataclass(frozen=True, slots=True)
class Decoder:
    """Uncovers one way of writing bytes.

    `gate` is a pattern over bytes, in the syntax that RE2 and Hyperscan share, that is found in all data with something to
    decode, and seldom in other data: decoding happens only where it matched. `decode(data, ends)` gets where it matched: the
    ends of matches, of which those that end in the same `2 ** DECODER_SHIFT` bytes count once, by the first of them. The
    time that it takes is linear in the data, and what it yields is together at most a few times as long.
    """

    id: str
    gate: bytes
    decode: Callable[[bytes, Sequence[int]], Iterator[Decoded]]
    part: str = ""
    """Gates that wait for the same bytes: marks and words, digits, capitals, or any letter."""
    reach: int = 1 << 30
    """How many bytes behind a match of its gate it may need to see: as many as there are, since it looks at what it needs."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Maps any range to one and the same: what was compressed has no smaller place."""

    start: int
    end: int

    def __call__(self, start: int, end: int) -> tuple[int, int]:
        """The whole range, whatever was asked."""
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Spliced:
    """Maps ranges of text in which some stretches were replaced.

    The stretch number i begins at `decoded_at[i]` in the decoded and at `encoded_at[i]` in the encoded bytes. Where its
    `is_copied[i]` is true, bytes correspond one to one; else it stands for its encoded bytes as a whole. The last entry is
    the end of both.
    """

    decoded_at: Sequence[int]
    encoded_at: Sequence[int]
    is_copied: Sequence[bool]

    def __call__(self, start: int, end: int) -> tuple[int, int]:
        """The encoded range of the decoded one."""
        first = self._stretch(start)
        last = self._stretch(max(start, end - 1))
        begin = self.encoded_at[first] + (start - self.decoded_at[first] if self.is_copied[first] else 0)
        if self.is_copied[last]:
            return begin, self.encoded_at[last] + (end - self.decoded_at[last])
        return begin, self.encoded_at[last + 1]

    def _stretch(self, offset: int) -> int:
        return min(bisect_right(self.decoded_at, offset), len(self.decoded_at) - 1) - 1


def near(ends: Sequence[int], length: int) -> Iterator[tuple[int, int]]:
    """Ranges that hold all matches, of at most `length` bytes, that ended at `ends` or later in the same bucket; in order."""
    for end in ends:
        # Where buckets begin is not known here: a decoder may be given only a part of what they were counted in.
        yield max(0, end - length), end + (1 << DECODER_SHIFT)


def splice(data: bytes, start: int, end: int, replaced: Iterator[tuple[int, int, bytes]]) -> Decoded:
    """The bytes of `data` from `start` to `end`, with the ranges that `replaced` yields, in order, exchanged for other bytes."""
    parts: list[bytes] = []
    decoded_at, encoded_at, is_copied = [], [], []
    length, position = 0, start
    for begin, stop, new in replaced:
        if begin > position:
            parts.append(data[position:begin])
            decoded_at.append(length)
            encoded_at.append(position)
            is_copied.append(True)
            length += begin - position
        if new:
            parts.append(new)
            decoded_at.append(length)
            encoded_at.append(begin)
            is_copied.append(False)
            length += len(new)
        position = stop
    if end > position or not decoded_at:
        parts.append(data[position:end])
        decoded_at.append(length)
        encoded_at.append(position)
        is_copied.append(True)
        length += end - position
        position = end
    decoded_at.append(length)
    encoded_at.append(position)
    return Decoded(b"".join(parts), Spliced(decoded_at, encoded_at, is_copied))
