"""How often a caller was told that a value is in use elsewhere. Each such answer confirms a guess, so there are only a few.

Over all processes a caller gets so many in an interval; after that it writes nothing that would be compared, until the time is over.
"""

from __future__ import annotations

from strongroom.logical.ambient import Clock
from strongroom.logical.errors import RateLimited
from strongroom.quotas.counts import Counts
from strongroom.quotas.window import Windows

REFUSALS_MAX = 20
INTERVAL_SECONDS = 600
BLOCK_SECONDS = 600
_REMEMBERED_MAX = 4096


class Guesses:
    """Safe between threads. ``check`` costs a look into a dictionary; only a refusal asks the memory that processes share."""

    def __init__(self, counts: Counts, clock: Clock) -> None:
        self._windows = Windows(REFUSALS_MAX, INTERVAL_SECONDS, BLOCK_SECONDS, counts, b"reuse of values")
        self._clock = clock
        self._blocked: dict[str, float] = {}
        self._blocks_until = 0.0

    @property
    def are_over_for_some(self) -> bool:
        """Whether :meth:`check` may raise for anybody now. Costs next to nothing."""
        return bool(self._blocked) and self._clock.monotonic() < self._blocks_until

    def check(self, caller: str) -> None:
        """Raise RateLimited where ``caller`` was refused too often."""
        until = self._blocked.get(caller)
        if until is None:
            return
        left = until - self._clock.monotonic()
        if left > 0:
            raise _too_often(left)
        self._blocked.pop(caller, None)

    def count(self, caller: str) -> None:
        """Note that ``caller`` is being refused. Raises RateLimited where it was refused too often before."""
        now = self._clock.monotonic()
        grant = self._windows.take(caller, now)
        if grant.is_allowed and grant.remaining:
            return
        if len(self._blocked) >= _REMEMBERED_MAX:
            self._blocked = {name: until for name, until in self._blocked.items() if until > now}
        self._blocked[caller] = now + max(grant.retry_seconds, grant.reset_seconds)
        self._blocks_until = max(self._blocks_until, self._blocked[caller])
        if not grant.is_allowed:
            raise _too_often(grant.retry_seconds)


def _too_often(seconds: float) -> RateLimited:
    return RateLimited(
        "too many writes of values that are in use in a more protected environment; you write here again later",
        retry_after_seconds=max(1, int(seconds)),
    )
