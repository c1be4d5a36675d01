"""A table of numbers by name, of a size that is fixed at the start.

A name is found by a keyed digest of 64 bits, in the one bucket of 16 slots that the digest says. So a look costs the same however full
the table is, nobody without the key can choose names that meet in a bucket, and two names that are taken for one are a matter of luck
that never comes. A full bucket is for the caller to deal with. The memory is the kernel's to give: a slot that was never used costs nothing.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable

from strongroom.sharing.turn import Turn

WAYS = 16
_DIGEST_BYTES = 8
_FREE = bytes(_DIGEST_BYTES)


class SharedTable:
    """``slots`` slots (a multiple of 16) with ``width`` numbers each, all 0. Whoever reads and then writes holds ``turn`` meanwhile."""

    def __init__(self, slots: int, width: int, *, key: bytes, processes: int = 1) -> None:
        if slots < WAYS or slots % WAYS:
            raise ValueError("a table has a multiple of 16 slots")
        self.turn = Turn(processes)
        self.width = width
        self._key = key
        self._buckets = slots // WAYS
        self._digests = mmap.mmap(-1, slots * _DIGEST_BYTES)
        self.numbers = memoryview(mmap.mmap(-1, slots * width * 8)).cast("d")
        """The numbers of slot ``s`` stand from ``s * width`` on."""

    def __len__(self) -> int:
        """How many slots are taken. Looks at all of them."""
        digests = self._digests
        return sum(digests[at : at + _DIGEST_BYTES] != _FREE for at in range(0, len(digests), _DIGEST_BYTES))

    def find(self, name: bytes) -> int | None:
        """The slot of ``name``."""
        digest, bucket = self._place(name)
        return self._look(digest, bucket)

    def claim(self, name: bytes) -> int | None:
        """The slot of ``name``, or a free one that is its from now on, with all numbers 0; None where its bucket is full."""
        digest, bucket = self._place(name)
        slot = self._look(digest, bucket)
        if slot is None:
            slot = self._look(_FREE, bucket)
            if slot is not None:
                self._set(slot, digest)
        return slot

    def neighbours(self, name: bytes) -> Iterable[int]:
        """All slots of the bucket of ``name``."""
        first = self._place(name)[1] * WAYS
        return range(first, first + WAYS)

    def replace(self, slot: int, name: bytes) -> None:
        """Give ``slot``, which is in the bucket of ``name``, to it, with all numbers 0."""
        self._set(slot, self._place(name)[0])

    def free(self, slot: int) -> None:
        """Forget whose slot this is."""
        self._set(slot, _FREE)

    def _place(self, name: bytes) -> tuple[bytes, int]:
        digest = hashlib.blake2b(name, digest_size=16, key=self._key).digest()
        # The first half says who, the second where: a bucket tells nothing about the digests in it.
        found = digest[:_DIGEST_BYTES]
        return found if found != _FREE else b"\x01" * _DIGEST_BYTES, int.from_bytes(digest[8:]) % self._buckets

    def _look(self, digest: bytes, bucket: int) -> int | None:
        first = bucket * WAYS * _DIGEST_BYTES
        end = first + WAYS * _DIGEST_BYTES
        at = self._digests.find(digest, first, end)
        while at != -1 and at % _DIGEST_BYTES:
            at = self._digests.find(digest, at + 1, end)  # bytes of two neighbours
        return None if at == -1 else at // _DIGEST_BYTES

    def _set(self, slot: int, digest: bytes) -> None:
        first, width = slot * self.width, self.width
        for at in range(first, first + width):
            self.numbers[at] = 0.0
        self._digests[slot * _DIGEST_BYTES : (slot + 1) * _DIGEST_BYTES] = digest
