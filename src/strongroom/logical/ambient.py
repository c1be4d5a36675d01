"""Time and randomness, which come in as arguments and are never reached for.

``SystemClock`` and ``SystemEntropy`` are the only places in the source that ask the operating system for either; a tidy test
keeps it so. Tests pass a clock that jumps and an entropy that is seeded.
"""

from __future__ import annotations

import os
import time
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...


class Entropy(Protocol):
    """A cryptographically strong source of random bytes."""

    def bytes(self, count: int) -> bytes:
        """Exactly ``count`` random bytes, or an exception; never fewer."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()


class SystemEntropy:
    """The kernel's generator (getrandom)."""

    def bytes(self, count: int) -> bytes:
        """Exactly ``count`` random bytes from the kernel."""
        drawn = os.urandom(count)
        if len(drawn) != count:
            raise OSError("the system's random source returned too few bytes")
        return drawn
