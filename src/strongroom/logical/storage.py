"""What an engine sees of the storage: an ordered map of keys to bytes, inside one transaction.

A ``Storage`` is a chroot: the engine that holds it cannot even name a key of another mount. What it writes is visible to its own
later reads, and becomes durable when the request's transaction commits, all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Storage(Protocol):
    """A view of the barrier: keys are relative, values are clear text, writes are buffered until the commit."""

    def get(self, key: str) -> bytes | None:
        """The value at ``key``, or None."""
        ...

    def version(self, key: str) -> int | None:
        """A number that stands for this writing of ``key`` and no other, ever; None where nothing is there. Counts as a read.

        Cheaper than ``get``: whoever keeps decoded values compares it. Negative for what is not committed yet, which must not be kept.
        """
        ...

    def put(self, key: str, value: bytes) -> None:
        """Set ``key`` to ``value``."""
        ...

    def delete(self, key: str) -> None:
        """Remove ``key``; nothing happens if it is not there."""
        ...

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """The names directly below ``prefix`` (which is empty or ends in ``/``), in order; folders end in ``/``.

        Only names greater than ``after`` are returned, ``limit`` of them at most.
        """
        ...

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        """Every key that starts with ``prefix`` and is greater than ``after``, in order, relative to this view."""
        ...

    def view(self, prefix: str) -> Storage:
        """The part of this storage below ``prefix`` (which ends in ``/``)."""
        ...


def delete_tree(storage: Storage, prefix: str = "") -> int:
    """Remove every key below ``prefix`` and return how many there were."""
    keys = list(storage.scan(prefix))
    for key in keys:
        storage.delete(key)
    return len(keys)
