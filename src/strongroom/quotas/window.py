"""How often each client asked, in a table that cannot grow without end (SECURITY row 107)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

CLIENTS_MAX = 65_536
"""How many clients one rule remembers. Beyond that the one whose interval began first is forgotten, and starts afresh."""


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


@dataclass(slots=True)
class _Client:
    """``ends`` is when the interval is over, ``blocked_until`` when an excess is forgiven: both on the monotonic clock."""

    remaining: int
    ends: float
    blocked_until: float = 0.0


class Windows:
    """Gives each client ``limit`` requests in ``interval`` seconds, which begin with its first request.

    Whoever asks for more is refused until the interval is over, and for ``block`` seconds at least. Times are those of a monotonic
    clock. For one thread at a time.
    """

    __slots__ = ("_block", "_clients", "_interval", "_limit", "_most")

    def __init__(self, limit: int, interval: int, block: int, *, most: int = CLIENTS_MAX) -> None:
        self._limit = limit
        self._interval = interval
        self._block = block
        self._most = most
        self._clients: dict[str, _Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def take(self, client: str, now: float) -> Grant:
        """Count one request of ``client``, unless it may not ask any more."""
        known = self._clients.get(client)
        if known is None or (now >= known.ends and now >= known.blocked_until):
            known = self._begin(client, now)
        reset = math.ceil(known.ends - now)
        if now >= known.blocked_until and known.remaining > 0:
            known.remaining -= 1
            return Grant(self._limit, known.remaining, max(0, reset), 0)
        if self._block and now >= known.blocked_until:
            known.blocked_until = now + self._block
        until = max(known.ends, known.blocked_until)
        return Grant(self._limit, 0, max(0, reset), max(1, math.ceil(until - now)))

    def _begin(self, client: str, now: float) -> _Client:
        # Out and in again: the table is in the order in which intervals began.
        self._clients.pop(client, None)
        if len(self._clients) >= self._most:
            del self._clients[next(iter(self._clients))]
        fresh = self._clients[client] = _Client(self._limit, now + self._interval)
        return fresh
