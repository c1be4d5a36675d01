"""Which values are in use above, by their one form: a list that is only ever added to, and that every process keeps in its memory.

An entry is sixteen bytes: eight of a keyed hash of the form, and eight of the fingerprint of the value as it was written, under which the
index of fingerprints says where it is. So the list needs no entry taken out: what is nowhere any more is not found there.

Sixteen lists, one for each process at most, so that those who add hardly ever meet. Whoever adds puts the end of its list, and a part that is
full is put once more under its number and never changed. ``core/reuse-values/all`` names the lists that are in use; the first addition to one puts
its name there, and the ends of all others anew. Who finds the ends of those in use as they were knows everything; else they tell what is new.
Whoever decides by that has read these few rows by name: if something is added meanwhile, the decision is in conflict.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from strongroom.crypto.aead import Damaged
from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.crypto.short_hash import DIGEST_BYTES, ShortHash
from strongroom.logical.storage import Storage

AREA = "core/reuse-values/"
HALF = DIGEST_BYTES
"""Bytes of each half of an entry."""
PART_ENTRIES = 56
"""With how many entries a part is full. A longer one makes each addition dearer, a shorter one what a process does after an unseal; and this
one is a row that SQLite keeps in one page.
"""
FEW_PARTS = 64
"""So many are learned in some milliseconds."""

_PURPOSE = b"strongroom reuse"
_ENTRY = 2 * HALF
_IN_USE = f"{AREA}all"
_NOTHING_KNOWN = (_IN_USE, 0)
_DIGITS = "0123456789abcdef"
_ENDS = {digit: f"{AREA}{digit}/end" for digit in _DIGITS}
_NUMBER = struct.Struct(">Q")
_FIRST_END = _NUMBER.pack(0)
_PAGES = 2**16
"""So that a page of a million entries has about fifteen."""
_HEAD = struct.Struct(f">H{_ENTRY - 2}x")
_WHOLE = struct.Struct(f"{_ENTRY}s")


def reuse_key(fingerprint_key: KeyedHash) -> ShortHash:
    """What makes the first half of an entry, of the form of a value."""
    return ShortHash(fingerprint_key.digest(_PURPOSE), _PURPOSE)


class _End(NamedTuple):
    """How far a list is known: the version of its end, the number of the part that this is, and the bytes that are in that part."""

    version: int | None = None
    number: int = 0
    size: int = 0


class ListedValues:
    """Of one process, for as long as the vault is open. Safe between threads."""

    def __init__(self, process: int = 0) -> None:
        """``process`` tells the processes of one server apart, from 0 on."""
        self._digit = _DIGITS[process % len(_DIGITS)]
        self._end = _ENDS[self._digit]
        self._is_named = False
        """Whether ``all`` is known to name the list of this process."""
        self._lock = threading.Lock()
        self._in_use = ""
        """The lists that ``all`` names, as far as is known; none is ever taken out."""
        self._in_use_version: int | None = 0
        """That of ``all`` as it is known."""
        self._ends = dict.fromkeys(_DIGITS, _End())
        self._heads: tuple[tuple[str, int | None], ...] = (_NOTHING_KNOWN,)
        """The rows that tell whether anything is new, with the versions up to which everything is remembered. Replaced as a whole."""
        self._pages: list[bytearray | None] = [None] * _PAGES
        """Entries by the first bytes of their first half. They are added at the end alone: nobody who looks needs the lock."""

    def news(self, root: Storage) -> bytes:
        """What ``root`` has beyond what is remembered from now on: entries of changes that are not committed yet.

        A commit that rests on this is in conflict where anything was added meanwhile. Raises Damaged where a part is missing.
        """
        version = root.version
        for key, known in self._heads:
            if version(key) != known:
                break
        else:
            return b""
        with self._lock:
            return self._learn(root)

    def is_behind(self, root: Storage) -> bool:
        """Whether :meth:`news` would take long: since the unseal nobody has learned most of what there is yet."""
        if self._heads[0] != _NOTHING_KNOWN:
            return False
        return sum(max(0, _read(root.get(_ENDS[one]))[0] - self._ends[one].number) for one in _DIGITS) > FEW_PARTS

    def learn(self, root: Storage, parts: int) -> bool:
        """Remember the next parts of each list, at most so many, ahead of whoever asks; whether there are more. Raises Damaged."""
        has_more = False
        with self._lock:
            for digit in _DIGITS:
                known = self._ends[digit].number
                last, _ = _read(root.get(_ENDS[digit]))
                for part in range(known, min(last, known + parts)):
                    content = root.get(_part_key(digit, part))
                    if content is None:
                        raise Damaged
                    self._remember(content[self._ends[digit].size :])
                    self._ends[digit] = _End(None, part + 1)
                has_more = has_more or last > known + parts
        return has_more

    def look(self, root: Storage, marked: Iterable[tuple[bytes, object]]) -> dict[bytes, list[bytes]]:
        """Of each first member of ``marked`` that is the first half of an entry, the second halves of these; see :meth:`news`."""
        news = self.news(root)
        pages = self._pages
        found: dict[bytes, list[bytes]] = {}
        for form, _ in marked:
            page = pages[form[0] << 8 | form[1]]
            # By ``find``: ``in`` would first try to read what it looks for as a number, which takes three times as long.
            if (page is not None and page.find(form) >= 0) or (news and news.find(form) >= 0):
                held = (one for some in (page or b"", news) for one in _entries(some))
                found[form] = list(dict.fromkeys(one[HALF:] for one in held if one.startswith(form)))
        return found

    def add(self, root: Storage, entries: Sequence[bytes], *, is_new: bool) -> None:
        """List values that are stored; ``is_new`` tells that they were not there before, known or not: who decides meanwhile decides again."""
        if not is_new:
            self.news(root)
            # Else those who list would be in conflict with each other.
            entries = [entry for entry in entries if (self._pages[entry[0] << 8 | entry[1]] or b"").find(entry) < 0]
            if not entries:
                return
        # Whether what is new is known is not asked: mostly it is not, and what is listed twice does no harm.
        if not self._is_named:
            self._name(root)
        at = self._end
        end = (root.get(at) or _FIRST_END) + b"".join(entries)
        if len(end) >= _NUMBER.size + PART_ENTRIES * _ENTRY:
            end = self._put_parts(root, end)
        root.put(at, end)

    def _name(self, root: Storage) -> None:
        """Have ``all`` name the list of this process."""
        named = _named(root)
        if self._digit not in named:
            root.put(_IN_USE, f"{named}{self._digit}".encode())
            for digit in named:
                root.put(_ENDS[digit], root.get(_ENDS[digit]) or _FIRST_END)
        elif (root.version(_IN_USE) or 0) > 0:
            self._is_named = True

    def _put_parts(self, root: Storage, end: bytes) -> bytes:
        """Put the parts that are full under their numbers; what is left for the end."""
        number, held = _read(end)
        full = PART_ENTRIES * _ENTRY
        while len(held) >= full:
            root.put(_part_key(self._digit, number), held[:full])
            number, held = number + 1, held[full:]
        return _NUMBER.pack(number) + held

    def _remember(self, entries: bytes) -> None:
        pages = self._pages
        for (head,), (entry,) in zip(_HEAD.iter_unpack(entries), _WHOLE.iter_unpack(entries), strict=True):
            page = pages[head]
            if page is None:
                pages[head] = bytearray(entry)
            elif page.find(entry) < 0:
                page += entry

    def _learn(self, root: Storage) -> bytes:
        """Remember what is new; answers what is not committed yet. Reads by name whatever says what there is."""
        version = root.version(_IN_USE)
        if version == self._in_use_version:
            pending = b"".join(self._catch_up(root, digit) for digit in self._in_use)
        else:
            named = _named(root)
            # All of them, since the lists of a former format have no names.
            pending = b"".join(self._catch_up(root, digit) for digit in _DIGITS)
            if len(named) >= len(self._in_use) and (version is None or version > 0):
                self._in_use, self._in_use_version = named, version
        ends = tuple((_ENDS[digit], self._ends[digit].version) for digit in self._in_use)
        self._heads = ends or ((_IN_USE, self._in_use_version),)
        return pending

    def _catch_up(self, root: Storage, digit: str) -> bytes:
        """Remember what was added to one list. Answers what is not committed yet: it may never be, and is not remembered."""
        known = self._ends[digit]
        version = root.version(_ENDS[digit])
        if version is None or version == known.version:
            return b""
        number, last = _read(root.get(_ENDS[digit]))
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


def _named(root: Storage) -> str:
    return (root.get(_IN_USE) or b"").decode()


def _part_key(digit: str, number: int) -> str:
    return f"{AREA}{digit}/{number:08x}"


def _read(content: bytes | None) -> tuple[int, bytes]:
    """The number of the part that an end is, and its entries."""
    return (0, b"") if content is None else (*_NUMBER.unpack_from(content), content[_NUMBER.size :])
