"""The chain: every line carries its number and the hash of everything before it.

``hash`` is SHA-256 over the previous line's hash (32 bytes; zeros before the first line) and the line's own bytes up to its hash,
its chain's id and its number included.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

BEFORE_ALL = bytes(32)
"""What stands for the hash of the line before the first one."""

_MEMBER = b',"chain":{"id":"'
_TAIL = re.compile(rb',"chain":\{"id":"([0-9a-f]{32})","sequence":([1-9][0-9]{0,17}),"hash":"([0-9a-f]{64})"\}\}')
_HASH_LENGTH = len(b',"hash":""}}') + 64
_TAIL_LENGTH_MAX = len(_MEMBER) + 32 + len(b'","sequence":') + 18 + _HASH_LENGTH


class Head(NamedTuple):
    """A place in a chain: its id, the number of a line, and that line's hash (both in hex)."""

    id: str
    sequence: int
    hash: str


class Place(NamedTuple):
    """What a line says about its place. ``covered`` is how many of its bytes its hash covers."""

    id: str
    sequence: int
    hash: bytes
    covered: int

    @property
    def head(self) -> Head:
        """The same as a head."""
        return Head(self.id, self.sequence, self.hash.hex())


class Chain:
    """One chain while it grows. ``id`` has 32 hex digits."""

    __slots__ = ("_digest", "_id", "sequence")

    def __init__(self, identifier: str) -> None:
        self._id = identifier.encode()
        self._digest = BEFORE_ALL
        self.sequence = 0

    @property
    def head(self) -> Head:
        """The last line's place; number 0 where there is none yet."""
        return Head(self._id.decode(), self.sequence, self._digest.hex())

    def link(self, records: Iterable[bytes]) -> bytes:
        """``records``, which are JSON objects without their closing braces, as lines of this chain, each with its newline."""
        sha256, identifier, digest, sequence = hashlib.sha256, self._id, self._digest, self.sequence
        lines = []
        for record in records:
            sequence += 1
            covered = b'%b,"chain":{"id":"%b","sequence":%d' % (record, identifier, sequence)
            hashing = sha256(digest)
            hashing.update(covered)
            digest = hashing.digest()
            lines.append(b'%b,"hash":"%b"}}\n' % (covered, digest.hex().encode()))
        self._digest, self.sequence = digest, sequence
        return b"".join(lines)


def place_of(line: bytes) -> Place | None:
    """The place of ``line`` (without its newline), or None where it names none: such a line is no record of ours."""
    start = line.rfind(_MEMBER, max(0, len(line) - _TAIL_LENGTH_MAX))
    if start < 0:
        return None
    found = _TAIL.fullmatch(line, start)
    if found is None:
        return None
    identifier, sequence, digest = found.groups()
    return Place(identifier.decode(), int(sequence), bytes.fromhex(digest.decode()), len(line) - _HASH_LENGTH)


def hash_of(previous: bytes, line: bytes, place: Place) -> bytes:
    """The hash that ``line`` has to carry if the one before it carries ``previous``."""
    hashing = hashlib.sha256(previous)
    hashing.update(memoryview(line)[: place.covered])
    return hashing.digest()


def last_head(content: bytes) -> Head | None:
    """The place of the last whole line in ``content``, or None where no line has one."""
    end = content.rfind(b"\n")
    while end >= 0:
        start = content.rfind(b"\n", 0, end) + 1
        place = place_of(content[start:end])
        if place is not None:
            return place.head
        end = start - 1
    return None
