"""Which rows of the guard there are, kept in the memory of this process, so that a write below asks the store for hardly any of them.

Whoever adds a row writes two more in the same commit: ``core/reuse-turn/all``, which says nothing but that something was added, and one of sixteen
``core/reuse-turn/<digit>``, which counts what was ever added there and names the last ones. Each process has a digit of its own, so that those who
add hardly ever meet. Who finds ``all`` as it was knows everything; else the sixteen tell what is new. Whoever decides by that has read ``all`` by
name: if a row is added meanwhile, the decision is in conflict.

What was there before is learned a little at a time, by those who ask; until that is done, and whenever too much was added at once, the store
is asked. Rows are never removed, so that nobody learns of a removal that does not come about.
"""

from __future__ import annotations

import os
import struct
import threading
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from strongroom.barrier.view import VersionedStorage

AREA = "core/reuse/"
TURN_AREA = "core/reuse-turn/"
REMEMBERED = 64
"""How many of the last rows a record names."""
LEARNED_AT_ONCE = 512
"""How many rows one question learns while not all are known."""

_TURN = f"{TURN_AREA}all"
_DIGITS = "0123456789abcdef"
_MARK_DIGITS = 16
_NUMBER = struct.Struct(">Q")
_PAGES = 8192
_PAGE_SHIFT = 64 - 13


class _Known(NamedTuple):
    """Everything that is there in one state of the store. ``newest`` may come to hold more: that does no harm."""

    turn: int | None
    marks: array[int]
    starts: array[int]
    """Where the marks of each of the ``_PAGES`` begin, so that a look touches few places of the memory."""
    newest: set[int]

    def has(self, mark: int) -> bool:
        """Whether there is, or was, a row with this mark."""
        page = mark >> _PAGE_SHIFT
        end = self.starts[page + 1]
        at = bisect_left(self.marks, mark, self.starts[page], end)
        return (at < end and self.marks[at] == mark) or mark in self.newest


class _Added(NamedTuple):
    """What a record says: how many rows were ever added under its digit, and the marks of the last ones, oldest first."""

    number: int
    last: tuple[int, ...]

    def since(self, count: int) -> tuple[int, ...] | None:
        """The marks of what was added after the first ``count``; None where not all of them are named any more."""
        missing = self.number - count
        if missing > len(self.last):
            return None
        return self.last[-missing:] if missing > 0 else ()


class ListedRows:
    """Of one process, for as long as the vault is open. Safe between threads."""

    def __init__(self) -> None:
        self._digit = _DIGITS[os.getpid() % len(_DIGITS)]
        self._lock = threading.Lock()
        self._known: _Known | None = None
        """Replaced as a whole, so that nobody sees half of it without the lock."""
        self._begin({})

    def may_be_there(self, root: VersionedStorage, key: str) -> bool:
        """Whether the row at ``key`` may be in ``root``; where not, it surely is not, and a commit that rests on that is checked."""
        turn = root.version(_TURN)
        mark = _mark(key)
        known = self._known
        if known is not None and known.turn == turn:
            return known.has(mark)
        added = {digit: _read(root.get(TURN_AREA + digit)) for digit in _DIGITS}
        with self._lock:
            # What is not committed yet may never be, and others come to stand under its numbers: it is not learned.
            if turn is None or turn > 0:
                self._learn(root, added, turn)
            known = self._known
            if known is None or known.has(mark):
                return True
            news = [added[digit].since(self._counts[digit]) for digit in _DIGITS]
            return any(marks is None or mark in marks for marks in news)

    def note_added(self, root: VersionedStorage, key: str) -> None:
        """Whoever puts the row at ``key``, where there was none, says so here."""
        at = TURN_AREA + self._digit
        number, last = _read(root.get(at))
        marks = (*last, _mark(key))[-REMEMBERED:]
        root.put(at, b"".join(map(_NUMBER.pack, (number + 1, *marks))))
        root.put(_TURN, b"")

    def _begin(self, added: Mapping[str, _Added]) -> None:
        """Forget everything, and begin where so much was added."""
        self._known = None
        self._counts = {digit: added[digit].number if digit in added else 0 for digit in _DIGITS}
        self._cursor = ""
        self._marks = array("Q")
        self._starts = array("I", [0])
        self._newest: set[int] = set()

    def _learn(self, root: VersionedStorage, added: Mapping[str, _Added], turn: int | None) -> None:
        """Take over what was added, and go on with what was there before. All of it is as something committed it."""
        if any(added[digit].number < self._counts[digit] for digit in _DIGITS):
            return  # it looks at an older state of the store, in which newer rows are not
        news = {digit: added[digit].since(self._counts[digit]) for digit in _DIGITS}
        if None in news.values() or (self._known is None and not self._cursor):
            self._begin(added)
        else:
            self._newest.update(*(marks for marks in news.values() if marks))
            self._counts = {digit: added[digit].number for digit in _DIGITS}
        if self._known is None:
            keys = list(islice(root.scan(AREA, self._cursor), LEARNED_AT_ONCE))
            self._marks.extend(map(_mark, keys))  # keys come in order, and so do their beginnings
            self._cursor = keys[-1] if keys else self._cursor
            if len(keys) == LEARNED_AT_ONCE:
                return
            self._starts = array("I", (bisect_left(self._marks, page << _PAGE_SHIFT) for page in range(_PAGES + 1)))
        self._known = _Known(turn, self._marks, self._starts, self._newest)


def _mark(key: str) -> int:
    """The first eight bytes of a row's name."""
    return int(key[len(AREA) : len(AREA) + _MARK_DIGITS], 16)


def _read(content: bytes | None) -> _Added:
    if content is None:
        return _Added(0, ())
    number, *last = struct.unpack(f">{len(content) // _NUMBER.size}Q", content)
    return _Added(number, tuple(last))
