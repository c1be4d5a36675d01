"""Time and randomness, which come in as arguments and are never reached for.

``SystemClock`` and ``SystemEntropy`` are the only places in the source that ask the operating system for either; a tidy test
keeps it so. Tests pass a clock that jumps and an entropy that is seeded.
"""

from __future__ import annotations

import errno
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

    def fill(self, buffer: bytearray) -> None:
        """Random bytes in the whole of ``buffer``, or an exception. For keys: what ``bytes`` gives cannot be wiped."""
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

    def fill(self, buffer: bytearray) -> None:
        """Random bytes from the kernel straight into ``buffer``, with no other copy of them in this process."""
        # Python's own functions all return immutable bytes; and the device file would not wait for a pool that has no seed yet.
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        filled = 0
        while filled < len(buffer):
            # The kernel gives at most 256 bytes without an interruption.
            wanted = min(256, len(buffer) - filled)
            place = (ctypes.c_char * wanted).from_buffer(buffer, filled)
            got = int(libc.getrandom(place, ctypes.c_size_t(wanted), 0))
            if got < 0 and ctypes.get_errno() != errno.EINTR:
                raise OSError("the system's random source returned too few bytes")
            filled += max(0, got)
