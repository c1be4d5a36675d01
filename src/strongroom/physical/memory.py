"""A store in memory, for development and tests: nothing survives the process.

Snapshots are copy-on-write: opening one marks the present state as shared, and the next commit works on a copy of it.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from strongroom.physical.store import (
    Change,
    Conflict,
    Record,
    Unavailable,
    Witness,
    change_of,
    check_keys,
    prefix_end,
)


class _State:
    """One state of the store. Never changed once it is ``shared``."""

    __slots__ = ("order", "records", "shared")

    def __init__(self, records: dict[str, Record], order: list[str]) -> None:
        self.records = records
        self.order = order
        self.shared = False


class MemorySnapshot:
    """A state of the store that no commit changes any more."""

    __slots__ = ("_state",)

    def __init__(self, state: _State) -> None:
        self._state = state

    @property
    def state(self) -> Hashable:
        """Which state of the store this is: that which no commit changes any more."""
        return self._state

    def get(self, key: str) -> Record | None:
        """The record at ``key``, or None."""
        return self._state.records.get(key)

    def keys(self, prefix: str, after: str = "", limit: int | None = None, *, start: str = "") -> list[str]:
        """The keys that begin with ``prefix``, in order; see the protocol."""
        order = self._state.order
        first = bisect_left(order, max(prefix, start))
        if after:
            first = max(first, bisect_right(order, after))
        end = prefix_end(prefix)
        last = len(order) if end is None else bisect_left(order, end)
        if limit is not None:
            last = min(last, first + limit)
        return order[first:last]

    def keys_in(self, folders: Sequence[str], limit: int) -> list[str] | None:
        """All keys in any of ``folders``; see the protocol."""
        found = [key for folder in folders for key in self.keys(f"{folder}/", limit=limit + 1)]
        return found if len(found) <= limit else None

    def entries(self) -> Iterator[tuple[str, Record]]:
        """Every key with its record, in order."""
        records = self._state.records
        return ((key, records[key]) for key in self._state.order)

    def close(self) -> None:
        """Nothing to give back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MemorySurvey:
    """A state of the store, as keys and versions."""

    __slots__ = ("_snapshot", "record")

    def __init__(self, snapshot: MemorySnapshot, key: str) -> None:
        self._snapshot = snapshot
        self.record = snapshot.get(key)

    def page(self, after: str, limit: int) -> list[tuple[str, int]]:
        """The next keys with their versions."""
        found = ((key, self._snapshot.get(key)) for key in self._snapshot.keys("", after, limit))
        return [(key, record.version) for key, record in found if record is not None]

    def close(self) -> None:
        """Nothing to give back."""


class MemoryStore:
    """A store of the process's own memory. ``close`` forgets nothing, so that a test can open it again by reference."""

    name = "inmem"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = _State({}, [])
        self._closed = False
        self.is_founded = False
        """Whether a vault was made here."""

    def mark_founded(self) -> None:
        """Remember it, for as long as the records."""
        self.is_founded = True

    def snapshot(self) -> MemorySnapshot:
        """The store as it is now."""
        with self._lock:
            self._refuse_if_closed()
            self._state.shared = True
            return MemorySnapshot(self._state)

    def survey(self, key: str) -> MemorySurvey:
        """Every key and version as they are now, and the record at ``key``."""
        return MemorySurvey(self.snapshot(), key)

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        """Apply the change, all or nothing; see the protocol."""
        check_keys(expected, puts, deletes)
        with self._lock:
            self._refuse_if_closed()
            records = self._state.records
            changed = [key for key, version in expected.items() if _version_of(records.get(key)) != version]
            if changed:
                raise Conflict(keys=changed)
            changes = _changes(records, puts, deletes) if witness is not None else []
            if witness is not None and changes:
                puts = {**puts, witness.key: witness(changes, records.get(witness.key))}
            if self._state.shared:
                self._state = _State(dict(records), list(self._state.order))
            _apply(self._state, puts, deletes)

    def close(self) -> None:
        """Refuse everything from now on, until ``reopen``."""
        self._closed = True

    def reopen(self) -> MemoryStore:
        """The same store, open again: what a restart is to a durable one."""
        self._closed = False
        return self

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Unavailable("the store is closed")


def _version_of(record: Record | None) -> int | None:
    return None if record is None else record.version


def _changes(records: Mapping[str, Record], puts: Mapping[str, Record], deletes: Collection[str]) -> list[Change]:
    found: list[Change] = []
    for key in dict.fromkeys((*deletes, *puts)):
        before = records.get(key)
        change = change_of(key, _version_of(before), puts.get(key))
        if change is not None:
            found.append(change)
    return found


def _apply(state: _State, puts: Mapping[str, Record], deletes: Collection[str]) -> None:
    for key in deletes:
        if state.records.pop(key, None) is not None:
            del state.order[bisect_left(state.order, key)]
    for key, record in puts.items():
        if key not in state.records:
            insort(state.order, key)
        state.records[key] = Record(record.version, bytes(record.value))
