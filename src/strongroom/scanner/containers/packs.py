"""Git's objects in one file, as they travel: packs, and bundles, which are a pack with a list of branches before it.

Objects are compressed one by one, and most are differences to another one, which stands before them or is named by its id. Nothing is checked
but what reading needs.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Member, Opening, Stream

_MAGIC = b"PACK"
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_BY_OFFSET, _BY_ID = 6, 7
_LONGEST_CHAIN = 4096
"""Differences to differences: git makes chains of 50, and of a few thousand when it is asked to."""
_HELD = 32 << 20
"""Bytes of objects that are kept for the differences to them."""


class _Entry(NamedTuple):
    """How an object is stored: its kind, or what it is a difference to, its size, and where its compressed bytes begin."""

    kind: int
    size: int
    base: int | bytes
    start: int


def open_bundle(stream: Stream, opening: Opening) -> Iterator[Member]:
    """What is in the pack of a bundle, and its head, with the names of branches."""
    data = stream.read(opening.limits.whole_bytes)
    head, blank, _ = data.partition(b"\n\n")
    yield Member("<head>", BytesIO(head), is_text=True)
    digest = "sha256" if b"@object-format=sha256" in head.split(b"\n") else "sha1"
    yield from _Pack(data, len(head) + len(blank), opening, digest).members()


def open_pack(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The blobs, and the messages of commits and tags."""
    yield from _Pack(stream.read(opening.limits.whole_bytes), 0, opening).members()


class _Pack:
    """A pack that begins at `start` of `data`."""

    def __init__(self, data: bytes, start: int, opening: Opening, digest: str = "sha1") -> None:
        self._data = data
        self._start = start
        self._opening = opening
        self._digest = digest
        self._id_bytes = hashlib.new(digest, usedforsecurity=False).digest_size
        self._ids: dict[bytes, int] = {}
        self._held: OrderedDict[int, tuple[int, bytes]] = OrderedDict()
        self._held_bytes = 0
        self._inflated = 0
        self._most = max(opening.limits.free_bytes, len(data) * opening.limits.ratio)

    def members(self) -> Iterator[Member]:
        """Every object that can be read. What lacks its base is told, once."""
        data, position = self._data, self._start
        if data[position : position + 4] != _MAGIC or len(data) < position + 12:
            raise DamagedContainer("it holds no pack")
        count = int.from_bytes(data[position + 8 : position + 12], "big")
        position += 12
        lacking = 0
        for _ in range(count):
            offset = position
            entry = self._entry(offset)
            content, position = self._inflate(entry)
            try:
                kind, content = self._whole(offset, entry, content)
            except KeyError:
                lacking += 1
                continue
            header = b"%s %d\0" % (_KINDS[kind].encode(), len(content))
            name = hashlib.new(self._digest, header + content, usedforsecurity=False).digest()
            self._ids[name] = offset
            self._hold(offset, kind, content)
            yield from _members_of(_KINDS[kind], name.hex(), content)
        if lacking:
            self._opening.complain(f"{lacking} of its objects are differences to objects that are not in it")

    def _entry(self, offset: int) -> _Entry:
        data = self._data
        try:
            byte = data[offset]
            kind, size, shift = byte >> 4 & 7, byte & 15, 4
            while byte & 0x80:
                offset += 1
                byte = data[offset]
                size |= (byte & 0x7F) << shift
                shift += 7
            offset += 1
            base: int | bytes = 0
            if kind == _BY_ID:
                base = data[offset : offset + self._id_bytes]
                offset += self._id_bytes
            elif kind == _BY_OFFSET:
                byte = data[offset]
                back = byte & 0x7F
                while byte & 0x80:
                    offset += 1
                    byte = data[offset]
                    back = ((back + 1) << 7) | (byte & 0x7F)
                offset += 1
                base = back
        except IndexError:
            raise DamagedContainer("it ends in the middle of an object") from None
        if kind not in _KINDS and kind not in {_BY_OFFSET, _BY_ID}:
            raise DamagedContainer("an object is of no known kind")
        if size > self._opening.limits.whole_bytes:
            raise DamagedContainer("an object is too large to be read from a pack")
        return _Entry(kind, size, base, offset)

    def _inflate(self, entry: _Entry) -> tuple[bytes, int]:
        """The bytes of an entry, and where they end in the pack."""
        engine = zlib.decompressobj()
        parts: list[bytes] = []
        position, left = entry.start, entry.size
        try:
            while not engine.eof:
                piece = self._data[position : position + (1 << 16)]
                if not piece:
                    raise DamagedContainer("it ends in the middle of an object")
                part = engine.decompress(piece, left + 1)
                left -= len(part)
                if left < 0:
                    raise DamagedContainer("an object is longer than it says")
                parts.append(part)
                position += len(piece) - len(engine.unconsumed_tail)
        except zlib.error:
            raise DamagedContainer("an object is damaged, and where the next one begins is not known") from None
        self._inflated += entry.size
        if self._inflated > self._most:
            raise DamagedContainer("it unpacks to more than the limit for its size")
        return b"".join(parts), position - len(engine.unused_data)

    def _whole(self, offset: int, entry: _Entry, content: bytes) -> tuple[int, bytes]:
        """Kind and content of the object at `offset`. Raises KeyError where a base is missing."""
        changes: list[bytes] = []
        for _ in range(_LONGEST_CHAIN):
            if entry.kind in _KINDS:
                kind = entry.kind
                break
            changes.append(content)
            at = offset - entry.base if isinstance(entry.base, int) else self._ids[entry.base]
            if not self._start <= at < offset and isinstance(entry.base, int):
                raise DamagedContainer("an object is a difference to nothing")
            offset = at
            if (held := self._held.get(offset)) is not None:
                self._held.move_to_end(offset)
                kind, content = held
                break
            entry = self._entry(offset)
            content, _end = self._inflate(entry)
        else:
            raise DamagedContainer("an object is a difference to a difference without end")
        for change in reversed(changes):
            content = _changed(content, change, self._opening.limits.whole_bytes)
        return kind, content

    def _hold(self, offset: int, kind: int, content: bytes) -> None:
        self._held[offset] = kind, content
        self._held_bytes += len(content)
        while self._held_bytes > _HELD and len(self._held) > 1:
            _, (_, dropped) = self._held.popitem(last=False)
            self._held_bytes -= len(dropped)


def _members_of(kind: str, name: str, content: bytes) -> Iterator[Member]:
    if kind == "blob":
        yield Member(f"<blob {name[:12]}>", BytesIO(content))
    elif kind != "tree":
        # The message is by itself, so that its lines count from 1, as they do in a repository.
        header, _, message = content.partition(b"\n\n")
        yield Member(f"<{kind} {name[:12]}>", BytesIO(message), is_text=True)
        yield Member(f"<{kind} {name[:12]} header>", BytesIO(header), is_text=True)


def _changed(base: bytes, change: bytes, most: int) -> bytes:
    """What a difference makes of `base`: runs of it, and bytes of its own."""
    try:
        _, position = _number(change, 0)
        size, position = _number(change, position)
        if size > most:
            raise DamagedContainer("an object is too large to be read from a pack")
        parts: list[bytes] = []
        while position < len(change):
            code = change[position]
            position += 1
            if code & 0x80:
                start = length = 0
                for bit in range(7):
                    if code & 1 << bit:
                        value = change[position]
                        position += 1
                        if bit < 4:
                            start |= value << 8 * bit
                        else:
                            length |= value << 8 * (bit - 4)
                length = length or 0x10000
                parts.append(base[start : start + length])
                size -= length
            elif code:
                parts.append(change[position : position + code])
                position += code
                size -= code
            if not code or size < 0:
                raise DamagedContainer("an object is damaged")
    except IndexError:
        raise DamagedContainer("an object is damaged") from None
    return b"".join(parts)


def _number(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position
