"""When to ask again: regularly, never all at once, and ever more rarely while there is no answer."""

from __future__ import annotations

from strongroom.logical.ambient import Entropy

LONGEST_SECONDS = 300.0
_SPREAD = 0.2
_TIMES_MAX = 10


class Schedule:
    """Says how long to wait. Many programs that started together drift apart by the spread."""

    def __init__(self, interval_seconds: float, entropy: Entropy) -> None:
        self._interval = interval_seconds
        self._entropy = entropy
        self._failures = 0

    def answered(self) -> bool:
        """An answer came; whether none had come before it."""
        was_away = self._failures > 0
        self._failures = 0
        return was_away

    def failed(self) -> bool:
        """No answer came; whether it is the first time in a row."""
        self._failures += 1
        return self._failures == 1

    def next_wait(self) -> float:
        """Seconds until the next question: the interval, doubled for each failure in a row, up or down by a fifth."""
        doubled = self._interval * float(1 << min(self._failures, _TIMES_MAX))
        wait = max(self._interval, min(doubled, LONGEST_SECONDS))
        drawn = int.from_bytes(self._entropy.bytes(4), "big") / 2**32
        return wait * (1 - _SPREAD + 2 * _SPREAD * drawn)
