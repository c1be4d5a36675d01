"""How several processes divide the items of a source among themselves: a counter that all of them see, locked while one of them takes some."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Sequence

from strongroom.scanner.fragment import Item

_WIDTH = 8
_LARGEST_BATCH = 64
_QUICK_SECONDS = 0.05
"""A batch that took longer is followed by a single item: large files tend to stand beside each other."""


class CountedShare:
    """The share of one of `workers` processes that were forked after it was made.

    Each sequence that is claimed has a counter of its own, in the order of the calls, which therefore must be the same in each process.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._sequences = 0
        # No pipe and no semaphore: a record lock is given back by the system when its holder dies.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process, or by close()

    def claim(self, items: Sequence[Item]) -> Iterator[Item]:
        """Those of `items` that no other process took."""
        offset = self._sequences * _WIDTH
        self._sequences += 1
        count, most = len(items), 1
        while True:
            start, end = self._take(offset, count, most)
            if start >= count:
                return
            begun = time.monotonic()
            yield from items[start:end]
            most = min(2 * most, _LARGEST_BATCH) if time.monotonic() - begun < _QUICK_SECONDS else 1

    def close(self) -> None:
        """Let go of the counter."""
        self._file.close()

    def _take(self, offset: int, count: int, most: int) -> tuple[int, int]:
        descriptor = self._file.fileno()
        fcntl.lockf(descriptor, fcntl.LOCK_EX, _WIDTH, offset)
        try:
            start = int.from_bytes(os.pread(descriptor, _WIDTH, offset), "little")
            # Small batches at the end, so that all finish at about the same time.
            batch = min(most, max(1, (count - start) // (8 * self._workers)))
            end = min(count, start + batch)
            os.pwrite(descriptor, max(end, start).to_bytes(_WIDTH, "little"), offset)
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, _WIDTH, offset)
        return start, end
