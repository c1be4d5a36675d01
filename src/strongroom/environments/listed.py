"""Which values are in use above, by their one form: a list that is only ever added to, and that every process keeps in its memory.

An entry is sixteen bytes: eight of the fingerprint of the form, and eight of the fingerprint of the value as it was written, under which the
index of fingerprints says where it is. So the list needs no entry taken out: what is nowhere any more is not found there.

Sixteen lists, one for each process at most, so that those who add hardly ever meet. Whoever adds puts the end of its list, and a part that is
full is put once more under its number and never changed. In the same commit stands ``core/reuse-listed/all``, which says nothing but that
something was added. Who finds ``all`` as it was knows everything; else the sixteen ends tell what is new. Whoever decides by that has read
``all`` by name: if something is added meanwhile, the decision is in conflict.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Collection, Iterable
from typing import NamedTuple

from strongroom.barrier.view import VersionedStorage
from strongroom.crypto.aead import Damaged

AREA = "core/reuse-listed/"
HALF = 8
"""Bytes of each half of an entry."""
PART_ENTRIES = 64
"""With how many entries a part is full. A longer one makes each addition dearer, a shorter one what a process does after an unseal."""

_ENTRY = 2 * HALF
_TURN = f"{AREA}all"
_DIGITS = "0123456789abcdef"
_NUMBER = struct.Struct(">Q")
_PAGES = 2**14
"""So that a page of a million entries has about sixty."""
_HEAD = struct.Struct(f">H{_ENTRY - 2}x")
_WHOLE = struct.Struct(f"{_ENTRY}s")


class _End(NamedTuple):
    """How far a list is known: the version of its end, the number of the part that this is, and the bytes that are in that part."""

    version: int | None = None
    number: int = 0
    size: int = 0


class ListedValues:
    """Of one process, for as long as the vault is open. Safe between threads."""

    def __init__(self) -> None:
        self._digit = _DIGITS[os.getpid() % len(_DIGITS)]
        self._lock = threading.Lock()
        self._turn: int | None = None
        """The version of ``all`` up to which everything is remembered."""
        self._has_looked = False
        self._ends = dict.fromkeys(_DIGITS, _End())
        self._pages: list[bytearray] = []
        """Entries by the first bits of their first half, once there are any. They are added at the end alone: nobody who looks needs the lock."""

    def news(self, root: VersionedStorage) -> bytes:
        """What ``root`` has beyond what is remembered from now on: entries of changes that are not committed yet.

        A commit that rests on this is in conflict where anything was added meanwhile. Raises Damaged where a part is missing.
        """
        turn = root.version(_TURN)
        self._has_looked = True
        if turn == self._turn:
            return b""
        with self._lock:
            pending = b"".join(self._catch_up(root, digit) for digit in _DIGITS)
            if turn is None or turn > 0:
                self._turn = turn
        return pending

    def look(self, root: VersionedStorage, forms: Iterable[bytes]) -> dict[bytes, list[bytes]]:
        """Of each of ``forms`` that is the first half of an entry, the second halves of these; see :meth:`news`."""
        news = self.news(root)
        found: dict[bytes, list[bytes]] = {}
        for form in forms:
            page = self._page_of(form)
            if form in page or form in news:
                found[form] = [one[HALF:] for held in (page, news) for one in _entries(held) if one.startswith(form)]
        return found

    def add(self, root: VersionedStorage, entries: Collection[bytes], *, is_new: bool) -> None:
        """List values that are stored; ``is_new`` tells that they were not there before, known or not: who decides meanwhile decides again."""
        unknown = [entry for entry in entries if not self._has(entry)]
        # Else those who list would be in conflict with each other. What they list twice for that does no harm.
        if not self._has_looked or (unknown and not is_new):
            self.news(root)
            unknown = [entry for entry in entries if not self._has(entry)]
        if unknown or is_new:
            root.put(_TURN, b"")
        if unknown:
            self._append(root, unknown)

    def _append(self, root: VersionedStorage, entries: Iterable[bytes]) -> None:
        at = _end_key(self._digit)
        number, held = _read(root.get(at))
        held += b"".join(entry for entry in dict.fromkeys(entries) if entry not in held)
        full = PART_ENTRIES * _ENTRY
        while len(held) >= full:
            root.put(_part_key(self._digit, number), held[:full])
            number, held = number + 1, held[full:]
        root.put(at, _NUMBER.pack(number) + held)

    def _has(self, entry: bytes) -> bool:
        return entry in self._page_of(entry)

    def _page_of(self, form: bytes) -> bytes | bytearray:
        pages = self._pages
        return pages[form[0] << 6 | form[1] >> 2] if pages else b""

    def _remember(self, entries: bytes) -> None:
        pages = self._pages = self._pages or [bytearray() for _ in range(_PAGES)]
        for (head,), (entry,) in zip(_HEAD.iter_unpack(entries), _WHOLE.iter_unpack(entries), strict=True):
            pages[head >> 2] += entry

    def _catch_up(self, root: VersionedStorage, digit: str) -> bytes:
        """Remember what was added to one list. Answers what is not committed yet: it may never be, and is not remembered."""
        known = self._ends[digit]
        version = root.version(_end_key(digit))
        if version is None or version == known.version:
            return b""
        number, last = _read(root.get(_end_key(digit)))
        if (number, len(last)) < (known.number, known.size):
            return b""  # it looks at an older state of the store, of which everything is remembered
        pending = b""
        for part in range(known.number, number + 1):
            is_last = part == number
            key = _part_key(digit, part)
            content, written = (last, version) if is_last else (root.get(key), root.version(key))
            if content is None or written is None:
                raise Damaged
            added = content[known.size if part == known.number else 0 :]
            if written < 0:
                pending += added
                continue
            self._remember(added)
            self._ends[digit] = _End(version, part, len(content)) if is_last else _End(None, part + 1)
        return pending


def _entries(held: bytes | bytearray) -> Iterable[bytes]:
    return (bytes(held[at : at + _ENTRY]) for at in range(0, len(held), _ENTRY))


def _end_key(digit: str) -> str:
    return f"{AREA}{digit}/end"


def _part_key(digit: str, number: int) -> str:
    return f"{AREA}{digit}/{number:08x}"


def _read(content: bytes | None) -> tuple[int, bytes]:
    """The number of the part that an end is, and its entries."""
    return (0, b"") if content is None else (*_NUMBER.unpack_from(content), content[_NUMBER.size :])
