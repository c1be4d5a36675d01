"""The count of all encryptions, which also numbers them: reserved in blocks, durable before use, never going back.

NIST SP 800-38D, section 8.3: at most 2**32 encryptions under one key with random nonces. A number is given to one encryption
only, for the life of the keyring, because a block is stored as used before its first number is handed out. After a crash the
rest of the block is skipped, so the count is at most one block too high per start and never too low.
"""

from __future__ import annotations

from strongroom import failpoints
from strongroom.barrier.keyring import counter_key, open_counter, seal_counter
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Conflict, Store, Witness

BLOCK = 65_536
_ATTEMPTS = 100


class Invocations:
    """Hands out encryption numbers of one keyring. Not thread-safe: the barrier's lock surrounds it."""

    def __init__(
        self,
        store: Store,
        root_key: bytearray,
        keyring_id: int,
        entropy: Entropy,
        block: int = BLOCK,
        witness: Witness | None = None,
    ) -> None:
        self._store = store
        self._witness = witness
        self._root_key = root_key
        self._id = keyring_id
        self._entropy = entropy
        self._block = block
        self._next = 0
        self._reserved_to = 0

    @property
    def next(self) -> int:
        """The number that the next encryption will have, or more."""
        return self._next

    def start_at(self, first: int, reserved_to: int) -> None:
        """Begin with the numbers from ``first`` up to ``reserved_to``, which the caller stores as reserved."""
        self._next, self._reserved_to = first, reserved_to

    def load(self) -> None:
        """Begin behind everything that was ever reserved. Raises Damaged."""
        with self._store.snapshot() as snapshot:
            reserved_to = open_counter(self._root_key, self._id, snapshot.get(counter_key(self._id)))
        self._next = self._reserved_to = reserved_to

    def take(self, count: int) -> int:
        """The first of ``count`` consecutive numbers that nobody else gets. May store a new block first."""
        if self._next + count > self._reserved_to:
            self._reserve(count)
        first = self._next
        self._next += count
        return first

    def _reserve(self, count: int) -> None:
        """Store a new block, behind everybody else's. Raises Damaged if the stored counter ever went back."""
        key = counter_key(self._id)
        for _ in range(_ATTEMPTS):
            with self._store.snapshot() as snapshot:
                found = snapshot.get(key)
            start = open_counter(self._root_key, self._id, found)
            if found is None or start < self._reserved_to:
                raise Damaged
            reserved_to = start + max(self._block, count)
            record = seal_counter(self._root_key, self._id, reserved_to, self._entropy)
            try:
                failpoints.reach("counter_before_persist")
                # Without numbers nothing can be written any more, so a full disk must not stand in the way.
                self._store.commit({key: found.version}, {key: record}, (), self._witness, is_urgent=True)
                failpoints.reach("counter_after_persist")
            except Conflict:
                continue
            self._next, self._reserved_to = start, reserved_to
            return
        raise Conflict("the invocation counter is changed by too many others at once")
