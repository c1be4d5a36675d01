"""How much of a container is unpacked: what stands between a scan and a bomb."""

from __future__ import annotations

from dataclasses import dataclass, field

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for what one fragment unpacks to. Beyond any of them the rest is reported, not scanned.

    `depth` counts containers within containers, a compressed one twice. `entries` and `total_bytes` count over all depths together, so that a
    container of containers has no more than one container. `ratio` bounds what is unpacked by what was stored; the first
    `free_bytes` are always allowed, for small files compress well. `whole_bytes` is what may be in memory at once, where a
    format can only be read from its end.
    """

    depth: int = 12
    entries: int = 200_000
    total_bytes: int = 8 << 30
    ratio: int = 300
    free_bytes: int = 64 * _MIB
    whole_bytes: int = 64 * _MIB
    seconds: float = 20.0
    """How long one document may keep a reader busy that is not ours."""
    file_bytes: int | None = None
    """Files that are larger as they are stored are left out (None: however large they are)."""

    def leaves_out(self, size: int) -> bool:
        """Whether a file of `size` bytes is too large."""
        return self.file_bytes is not None and size > self.file_bytes


TOO_LARGE = "left out: it is larger than -max-file-size"
"""What is said of a file that is left out."""


class LimitReached(Exception):
    """A limit was reached. The text says which, and nothing of the input."""


class DamagedContainer(Exception):
    """What follows cannot be read. The text says where it broke, and nothing of the input."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked of one fragment."""

    limits: Limits
    stored_bytes: int
    unpacked_bytes: int = field(default=0)
    entries: int = field(default=0)

    def spend(self, size: int) -> None:
        """Counts `size` unpacked bytes. Raises LimitReached when they are too many."""
        self.unpacked_bytes += size
        allowed = max(self.limits.free_bytes, self.stored_bytes * self.limits.ratio)
        if self.unpacked_bytes > min(allowed, self.limits.total_bytes):
            raise LimitReached("it unpacks to more than the limit for its size")

    def enter(self) -> None:
        """Counts one more entry. Raises LimitReached when they are too many."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise LimitReached(f"it has more than {self.limits.entries} entries")
