"""A keyed hash of a set of records, which changes with each change of the set and needs none of the others for it.

MSet-XOR-Hash (Clarke, Devadas, van Dijk, Gassend, Suh: "Incremental Multiset Hash Functions and Their Application to Memory Integrity
Checking", ASIACRYPT 2003): the exclusive or of a keyed pseudo-random function (BLAKE2b, RFC 7693) of every element. A store holds a
key once, so each element is there once, as the scheme needs; the sum is only ever stored encrypted, which blinds it.

An element is a key with its version. A version is given to one encryption only and is part of what a record's tag covers, so the two
determine the content.

Beside the sum runs a *sketch*: 24 small cells, of which each element changes three (an invertible Bloom lookup table: Goodrich and
Mitzenmacher, 2011). The sum says whether two sets differ; the sketches of two sets that differ in a few elements also say in which.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

SUM_BYTES = 32
_CELL_BITS = 96
_CELLS_PER_ROW = 8
_ROWS = 3
TOTAL_BYTES = SUM_BYTES + _ROWS * _CELLS_PER_ROW * _CELL_BITS // 8

_PERSON = b"strongroom store"
_SUM_BITS = 8 * SUM_BYTES
_CELL_MASK = (1 << _CELL_BITS) - 1
_VERSION_MASK = (1 << 48) - 1
_TAG_MASK = (1 << 32) - 1
_CHECK_MASK = (1 << 16) - 1
# Odd constants without structure (the fractions of the golden ratio and of the square root of two).
_VERSION_FACTOR = 0x9E3779B97F4A7C15
_TAG_FACTOR = 0x6A09E667F3BCC909
_ROW_BITS = _CELLS_PER_ROW * _CELL_BITS
_ROW_MASK = (1 << _ROW_BITS) - 1
_SUM_MASK = (1 << _SUM_BITS) - 1
_SHIFTS = tuple(column * _CELL_BITS for column in range(_CELLS_PER_ROW))


class Trace(NamedTuple):
    """What a sketch still knows of an element: its version, and 32 bits of its hash."""

    version: int
    tag: int


class Elements:
    """Turns records into elements: numbers whose exclusive or is the set's total. Safe to use from several threads."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytearray) -> None:
        # The state is copied for each element, which is three times as fast as beginning anew. Its destruction erases it.
        self._keyed = hashlib.blake2b(key=key, digest_size=SUM_BYTES, person=_PERSON)

    def of(self, key: str, version: int) -> int:
        """The element of the record at ``key``: the sum in its low 256 bits, above them the sketch."""
        return self.fold(0, ((key, version),))

    def fold(self, total: int, records: Iterable[tuple[str, int]]) -> int:
        """``total`` with each of ``records`` put in, or taken out where it is in: both are the exclusive or."""
        copy, from_bytes = self._keyed.copy, int.from_bytes
        # Row by row, because shorter numbers are shifted sooner.
        sums = total & _SUM_MASK
        first = total >> _SUM_BITS & _ROW_MASK
        second = total >> _SUM_BITS + _ROW_BITS & _ROW_MASK
        third = total >> _SUM_BITS + 2 * _ROW_BITS
        for key, version in records:
            keyed = copy()
            keyed.update(key.encode() + version.to_bytes(8, "big"))
            number = from_bytes(keyed.digest(), "big")
            cell = _cell(version, number & _TAG_MASK)
            sums ^= number
            first ^= cell << _SHIFTS[number & 7]
            second ^= cell << _SHIFTS[number >> 3 & 7]
            third ^= cell << _SHIFTS[number >> 6 & 7]
        return sums | first << _SUM_BITS | second << _SUM_BITS + _ROW_BITS | third << _SUM_BITS + 2 * _ROW_BITS

    def trace(self, key: str, version: int) -> Trace:
        """What a sketch would know of the record at ``key``."""
        return Trace(version & _VERSION_MASK, self.of(key, version) & _TAG_MASK)


def differing(difference: int) -> tuple[frozenset[Trace], bool]:
    """The elements that are in one of two sets only, given the exclusive or of their totals, and whether these are all of them.

    Up to about ten are found; of more, mostly none.
    """
    sketch = difference >> _SUM_BITS
    cells = [sketch >> (number * _CELL_BITS) & _CELL_MASK for number in range(_ROWS * _CELLS_PER_ROW)]
    found: set[Trace] = set()
    waiting = list(range(len(cells)))
    while waiting:
        place = waiting.pop()
        trace = _alone_in(cells[place], place)
        if trace is None:
            continue
        # Seen twice, it is not alone but the sum of several that happen to look like it.
        if trace in found:
            return frozenset(found), False
        found.add(trace)
        alone = cells[place]
        for other in _places(trace.tag):
            cells[other] ^= alone
            waiting.append(other)
    return frozenset(found), not any(cells)


def _cell(version: int, tag: int) -> int:
    short = version & _VERSION_MASK
    check = (short * _VERSION_FACTOR + tag * _TAG_FACTOR) >> 40 & _CHECK_MASK
    return short << 48 | tag << 16 | check


def _places(tag: int) -> tuple[int, int, int]:
    return tag & 7, _CELLS_PER_ROW + (tag >> 3 & 7), 2 * _CELLS_PER_ROW + (tag >> 6 & 7)


def _alone_in(cell: int, place: int) -> Trace | None:
    """The element in a cell that holds exactly one."""
    if not cell:
        return None
    trace = Trace(cell >> 48, cell >> 16 & _TAG_MASK)
    is_alone = cell == _cell(*trace) and place in _places(trace.tag)
    return trace if is_alone else None
