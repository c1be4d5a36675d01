"""The three states of a vault, every transition between them, and what is said where there is none.

Everything that decides about the state is this table; who walks it is ``lifecycle``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from strongroom.logical.errors import InvalidRequest


class State(Enum):
    """Where the vault stands."""

    UNINITIALIZED = "uninitialized"
    SEALED = "sealed"
    UNSEALED = "unsealed"


class Event(Enum):
    """What can happen to it."""

    INITIALIZE = "initialize"
    UNSEAL = "unseal"
    SEAL = "seal"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.UNINITIALIZED, Event.INITIALIZE): State.SEALED,
    (State.SEALED, Event.UNSEAL): State.UNSEALED,
    (State.UNSEALED, Event.SEAL): State.SEALED,
    # Asking again for what is so already is no mistake.
    (State.UNSEALED, Event.UNSEAL): State.UNSEALED,
    (State.SEALED, Event.SEAL): State.SEALED,
}
"""Every transition there is. What is not here is refused with the text of ``REFUSALS``."""

REFUSALS: dict[tuple[State, Event], str] = {
    (State.SEALED, Event.INITIALIZE): "Vault is already initialized",
    (State.UNSEALED, Event.INITIALIZE): "Vault is already initialized",
    (State.UNINITIALIZED, Event.UNSEAL): "Vault is not initialized",
    (State.UNINITIALIZED, Event.SEAL): "Vault is not initialized",
}


@dataclass(frozen=True, slots=True)
class Status:
    """What ``sys/seal-status`` shows. ``t`` of ``n`` shares are needed; ``progress`` of them are there, under ``nonce``."""

    type: str
    initialized: bool
    sealed: bool
    t: int
    n: int
    progress: int
    nonce: str
    recovery_seal: bool
    is_migrating: bool = False


def require(state: State, event: Event) -> State:
    """The state after ``event`` in ``state``. Raises InvalidRequest where the table has no such transition."""
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise InvalidRequest(REFUSALS[state, event])
    return following
