"""How many connections are open, in all and from each address, over all processes of one server."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.sharing.table import WAYS, SharedTable


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be over all processes, in all and of one address, and how many bytes of requests and answers are
    kept in this one.
    """

    connections: int = 4096
    connections_per_address: int = 1024
    buffered_bytes: int = 256 * 1024 * 1024


_OPEN, _REFUSED = range(2)


class Visitors:
    """Counts who is there. Made before the processes of a server part, of which none goes on when another one dies.

    ``key`` is random, so that nobody outside can choose addresses that share a place. Where by chance 17 addresses do, the last is refused:
    with four places for each connection that may be open this does not come about.
    """

    def __init__(self, bounds: Bounds | None = None, *, key: bytes = b"", processes: int = 1) -> None:
        self.bounds = bounds or Bounds()
        self._processes = processes
        slots = WAYS * (1 + self.bounds.connections * 4 // WAYS)
        self._addresses = SharedTable(slots, 1, key=key, processes=processes)
        self._sums = SharedTable(WAYS, 2, key=key).numbers

    @property
    def open(self) -> int:
        """How many connections are open now."""
        return int(self._sums[_OPEN])

    @property
    def share(self) -> float:
        """How many of them each process has if all have as many."""
        return self.open / self._processes

    @property
    def refused(self) -> int:
        """How many were closed at once, because too many were open."""
        return int(self._sums[_REFUSED])

    @property
    def is_full(self) -> bool:
        """Whether as many are open as there may be."""
        return self.open >= self.bounds.connections

    def count(self, address: str) -> int:
        """How many are open from ``address``."""
        table = self._addresses
        with table.turn:
            slot = table.find(address.encode())
            return 0 if slot is None else int(table.numbers[slot])

    def admit(self, address: str) -> bool:
        """Count one more connection from ``address``, if that is within the bounds; ``""`` (a unix socket) has only the total."""
        table, sums, bounds = self._addresses, self._sums, self.bounds
        name = address.encode()
        with table.turn:
            slot = None
            if sums[_OPEN] < bounds.connections:
                slot = table.claim(name)
            if slot is None or (address and table.numbers[slot] >= bounds.connections_per_address):
                return False
            table.numbers[slot] += 1
            sums[_OPEN] += 1
            return True

    def refuse(self) -> None:
        """One was closed at once, since it was not admitted."""
        with self._addresses.turn:
            self._sums[_REFUSED] += 1

    def leave(self, address: str) -> None:
        """One that was admitted is closed."""
        table = self._addresses
        name = address.encode()
        with table.turn:
            self._sums[_OPEN] -= 1
            slot = table.find(name)
            if slot is None:
                return
            table.numbers[slot] -= 1
            if table.numbers[slot] <= 0:
                table.free(slot)
