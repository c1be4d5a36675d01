"""What clients did to one secret and what they were told: the operations of a history, and what each of them means.

The model is that of a versioned secret under check-and-set. Its state is the number of the newest version and the value of it, None
where that version is deleted; nothing was ever written where the number is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a client asked for."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class State:
    """A secret at one moment."""

    version: int = 0
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A write was told that its check-and-set version is not the current one."""


@dataclass(frozen=True, slots=True)
class Done:
    """A write made ``version``; a delete, which is told no version, has 0 there."""

    version: int = 0


Outcome = State | Refused | Done
"""What a client was told; a read is told the state."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one secret. ``begin`` and ``end`` are instants of one clock.

    ``outcome`` is None where the client was told nothing, or nothing that says whether it happened: then it took effect once, at
    any time after ``begin``, or never. ``cas`` None means a write without a check.
    """

    kind: Kind
    begin: int
    end: int
    outcome: Outcome | None
    value: str | None = None
    cas: int | None = None

    def after(self, state: State) -> State | None:
        """The state that it leaves if it takes effect on ``state``; None where what the client was told says that it did not."""
        if self.kind is Kind.READ:
            return state if self.outcome == state else None
        if self.kind is Kind.DELETE:
            return State(state.version) if state.version else state
        is_refused = self.cas is not None and self.cas != state.version
        if is_refused or isinstance(self.outcome, Refused):
            return state if is_refused and isinstance(self.outcome, Refused) else None
        if isinstance(self.outcome, Done) and self.outcome.version != state.version + 1:
            return None
        return State(state.version + 1, self.value)
