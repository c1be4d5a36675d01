"""A store in memory that fails when it is told to, in each of the ways that its contract names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum

from strongroom.physical.memory import MemorySnapshot, MemoryStore
from strongroom.physical.store import Conflict, Record, Unavailable, Unknown, Witness


class Fault(Enum):
    """How the next commit fails."""

    CONFLICT = "somebody was faster, twice"
    UNAVAILABLE = "it takes no writes"
    UNKNOWN_LOST = "nobody knows, and the change is not there"
    UNKNOWN_KEPT = "nobody knows, and the change is there"


ALL_FAULTS = frozenset(Fault)


class FaultyStore(MemoryStore):
    """``fault`` is how commits fail until it is None again; ``hits`` counts them. After Unknown nothing works any more."""

    def __init__(self) -> None:
        super().__init__()
        self.fault: Fault | None = None
        self.hits = 0
        self._is_broken = False

    def revive(self) -> None:
        """What a restart does: the store is as the last commit left it."""
        self._is_broken = False
        self.fault = None
        self.reopen()

    def snapshot(self) -> MemorySnapshot:
        if self._is_broken:
            raise Unavailable("it failed before")
        return super().snapshot()

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        if self._is_broken:
            raise Unavailable("it failed before")
        fault = self.fault
        if fault is not None:
            self.hits += 1
        if fault is Fault.UNAVAILABLE:
            raise Unavailable("told to")
        if fault is Fault.CONFLICT and self.hits <= 2:
            raise Conflict("told to")
        if fault is Fault.UNKNOWN_LOST:
            self._is_broken = True
            raise Unknown("told to")
        super().commit(expected, puts, deletes, witness, is_urgent=is_urgent)
        if fault is Fault.UNKNOWN_KEPT:
            self._is_broken = True
            raise Unknown("told to")
