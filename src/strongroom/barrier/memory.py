"""What was read of the store, for whoever looks at the very same state of it.

Most batches of requests only read, and nothing is written between two of them: the rows that the last one found are those that the next
would find. They stay sealed: what is opened is no longer kept than a transaction takes (SECURITY D-22). It is forgotten with the state, with
the barrier, and when it becomes much.
"""

from __future__ import annotations

from collections.abc import Hashable

from strongroom.physical.store import Record

STATES_MAX = 4
"""So many states are remembered: each thread may look at one of its own."""
BYTES_MAX = 1 << 20
"""What is remembered of a state is forgotten before a transaction that finds so much of it."""
ROW_BYTES = 256
"""What remembering a row takes beside its content, nearly."""


class Seen:
    """What is known of one state, which cannot change. Whoever adds to it adds to ``size``, in bytes."""

    __slots__ = ("found", "size")

    def __init__(self) -> None:
        self.found: dict[str, Record | None] = {}
        """What lies in the store, by the tenant's key."""
        self.size = 0


class Memory:
    """The states that were looked at last. Safe to use from several threads."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: dict[Hashable, Seen] = {}

    def of(self, state: Hashable) -> Seen:
        """What is known of ``state``, as a snapshot names it."""
        states = self._states
        seen = states.get(state)
        if seen is not None and seen.size <= BYTES_MAX:
            return seen
        if len(states) >= STATES_MAX:
            # Replaced and not changed, since another thread may be in here, too.
            newest = list(states.items())[1 - STATES_MAX :]
            states = self._states = dict(newest)
        seen = states[state] = Seen()
        return seen

    def forget(self) -> None:
        """Forget everything. A transaction that is open goes on with what it has."""
        self._states = {}
