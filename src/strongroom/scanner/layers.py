"""What a run of bytes hides: its decoded layers, each with the way back to where it stands in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

MAX_DEPTH = 5
"""How deep encodings are taken off, if nobody says otherwise."""

Locate = Callable[[int, int], tuple[int, int]]


class Decoded(Protocol):
    """What one decoder made of a part of its input."""

    @property
    def data(self) -> bytes:
        """The bytes that were encoded."""
        ...

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """The place of `data[start:end]` in the bytes that it was decoded from."""
        ...


class Decoder(Protocol):
    """Takes one encoding off. `gate` is a pattern of which a match must be where there is anything to decode."""

    @property
    def id(self) -> str:
        """The encoding, in a word."""
        ...

    @property
    def gate(self) -> bytes:
        """A pattern that Hyperscan can hold."""
        ...

    @property
    def part(self) -> str:
        """The part of the automaton that holds the gate."""
        ...

    @property
    def reach(self) -> int:
        """How many bytes behind a match of the gate the decoder may need to see."""
        ...

    def decode(self, data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
        """What is encoded in `data` around the ends of matches of the gate, which are given in rising order."""
        ...


class Layer(NamedTuple):
    """A run of bytes that is scanned: a fragment's own (no names), or what was decoded from it."""

    data: bytes
    names: tuple[str, ...] = ()
    locate: Locate = lambda start, end: (start, end)

    def __repr__(self) -> str:
        return f"<Layer of {len(self.data)} bytes>"  # what is scanned may be a secret

    def part(self, start: int, end: int) -> Layer:
        """The bytes from `start` to `end` as a layer at the same depth."""
        if start == 0 and end >= len(self.data):
            return self
        outer = self.locate
        return Layer(self.data[start:end], self.names, lambda first, last: outer(first + start, last + start))

    def below(self, name: str, decoded: Decoded) -> Layer:
        """The layer of what a decoder found in this one."""
        outer, inner = self.locate, decoded.locate

        def locate(start: int, end: int) -> tuple[int, int]:
            return outer(*inner(start, end))

        return Layer(decoded.data, (*self.names, name), locate)


class Region(NamedTuple):
    """A run of bytes that is given to a decoder, and the ends of the gate's matches in it, counted from its start."""

    start: int
    end: int
    ends: list[int]


def regions_of(buckets: Sequence[tuple[int, int, int]], size: int, reach: int) -> Iterator[Region]:
    """What surrounds the events of a gate: a decoder reads that and no more, so that one event in a large file costs little."""
    region: Region | None = None
    for start, end, first in buckets:
        if region is not None and start - _BEFORE <= region.end:
            region.ends.append(first - region.start)
            region = region._replace(end=min(size, end + reach))
            continue
        if region is not None:
            yield region
        begin = max(0, start - _BEFORE)
        region = Region(begin, min(size, end + reach), [first - begin])
    if region is not None:
        yield region


class Budget:
    """How many bytes may still be decoded of one fragment, so that no nesting makes much of little."""

    __slots__ = ("exceeded", "left")

    def __init__(self, size: int) -> None:
        self.left = max(_LEAST_BUDGET, _BUDGET_FACTOR * size)
        self.exceeded = False

    def take(self, count: int) -> bool:
        """Whether `count` more bytes are within the budget."""
        self.left -= count + _PIECE
        if self.left < 0:
            self.exceeded = True
        return self.left >= 0


_BEFORE = 2048
_LEAST_BUDGET = 8 * 1024 * 1024
_BUDGET_FACTOR = 6
_PIECE = 32
"""What each decoded piece costs beside its bytes."""
