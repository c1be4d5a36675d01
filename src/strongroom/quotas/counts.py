"""What the processes of one server count together: how often who asked, and how often the rules changed."""

from __future__ import annotations

from strongroom.sharing.table import SharedTable

CLIENTS_MAX = 262_144
"""How many clients are remembered, of all rules together. Beyond that those are forgotten whose time is over first."""

REMAINING, ENDS, BLOCKED_UNTIL = range(3)
"""The numbers of a client: how many requests it has left, when its interval is over, and until when it is refused altogether."""

_WIDTH = 3
_CHANGES = b"changes of the rules"


class Counts:
    """Made before the processes of a server part. ``key`` is random, so that nobody outside can tell which clients share a place."""

    def __init__(self, *, key: bytes = b"", processes: int = 1, clients_max: int = CLIENTS_MAX) -> None:
        self.clients = SharedTable(clients_max, _WIDTH, key=key, processes=processes)
        self._changes = SharedTable(16, 1, key=key, processes=processes)
        claimed = self._changes.claim(_CHANGES)
        self._slot = claimed or 0

    @property
    def changes(self) -> int:
        """A number that is another one after every change of the rules, in whichever process."""
        return int(self._changes.numbers[self._slot])

    def note_change(self) -> None:
        """The rules were changed, for good."""
        with self._changes.turn:
            self._changes.numbers[self._slot] += 1
