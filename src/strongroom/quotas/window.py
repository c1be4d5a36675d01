"""How often each client asked, in a table that cannot grow without end (SECURITY row 107) and that all processes share."""

from __future__ import annotations

import math
from typing import NamedTuple

from strongroom.quotas.counts import BLOCKED_UNTIL, ENDS, REMAINING, Counts


class Grant(NamedTuple):
    """What a rule said to one request. Seconds are whole and rounded up; ``retry_seconds`` is 0 where the request may go on."""

    limit: int
    remaining: int
    reset_seconds: int
    retry_seconds: int

    @property
    def is_allowed(self) -> bool:
        """Whether the request may go on."""
        return self.retry_seconds == 0


class Windows:
    """Gives each client ``limit`` requests in ``interval`` seconds, which begin with its first request, over all processes.

    Whoever asks for more is refused until the interval is over, and for ``block`` seconds at least. Times are those of the monotonic
    clock, which the processes of a machine share. ``rule`` tells the clients of this rule from those of others in ``counts``.
    """

    __slots__ = ("_block", "_interval", "_limit", "_rule", "_table")

    def __init__(self, limit: int, interval: int, block: int, counts: Counts, rule: bytes) -> None:
        self._limit = limit
        self._interval = interval
        self._block = block
        self._table = counts.clients
        self._rule = rule + b"\0"

    def take(self, client: str, now: float) -> Grant:
        """Count one request of ``client``, unless it may not ask any more."""
        name = self._rule + client.encode()
        table = self._table
        with table.turn:
            slot = table.find(name)
            if slot is None:
                slot = self._begin(self._claim(name), now)
            at, numbers = slot * table.width, table.numbers
            if now >= numbers[at + ENDS] and now >= numbers[at + BLOCKED_UNTIL]:
                self._begin(slot, now)
            ends, blocked_until = numbers[at + ENDS], numbers[at + BLOCKED_UNTIL]
            reset = max(0, math.ceil(ends - now))
            if now >= blocked_until and numbers[at + REMAINING] > 0:
                numbers[at + REMAINING] -= 1
                return Grant(self._limit, int(numbers[at + REMAINING]), reset, 0)
            if self._block and now >= blocked_until:
                blocked_until = numbers[at + BLOCKED_UNTIL] = now + self._block
        return Grant(self._limit, 0, reset, max(1, math.ceil(max(ends, blocked_until) - now)))

    def _begin(self, slot: int, now: float) -> int:
        table = self._table
        at = slot * table.width
        table.numbers[at + REMAINING] = self._limit
        table.numbers[at + ENDS] = now + self._interval
        table.numbers[at + BLOCKED_UNTIL] = 0.0
        return slot

    def _claim(self, name: bytes) -> int:
        table = self._table
        slot = table.claim(name)
        if slot is None:
            slot = min(table.neighbours(name), key=self._over)
            table.replace(slot, name)
        return slot

    def _over(self, slot: int) -> float:
        """When nothing is held against this client any more."""
        at, numbers = slot * self._table.width, self._table.numbers
        return max(numbers[at + ENDS], numbers[at + BLOCKED_UNTIL])
