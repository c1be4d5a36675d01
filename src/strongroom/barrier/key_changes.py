"""Changes of what opens the vault, while it is open: another root key, other shares. Each is one commit of everything that belongs together.

Owns the key of the seal that opened the vault, in a buffer that sealing overwrites: with it a new root key is wrapped for the same shares.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.opening import RowChanges, rewrapped, settled
from strongroom.barrier.seal_rows import SealRows
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.crypto import aead
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.store import Conflict

_ATTEMPTS = 16
"""How often a change is tried again because a sibling process wrote something else meanwhile."""


class KeyFollowers(Protocol):
    """Whoever else has the root key: told before another one is stored, and after it is or will not be."""

    def root_key_coming(self, root_key: bytearray) -> None:
        """It may be this one from now on; the caller wipes it."""
        ...

    def root_key_settled(self) -> None:
        """The store says which one it is."""
        ...


class KeyChanges:
    """Makes the changes of one vault. Thread-safe under ``lock``, which is its lifecycle's.

    ``barrier`` and ``rows`` give what there is now, and raise Sealed and InvalidRequest where there is none. ``auto_seal`` is not ours
    to wipe.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        lock: threading.RLock,
        barrier: Callable[[], Barrier],
        rows: Callable[[], SealRows],
        auto_seal: Seal | None,
    ) -> None:
        self.followers: KeyFollowers | None = None
        self._surroundings = surroundings
        self._lock = lock
        self._barrier = barrier
        self._rows = rows
        self._auto_seal = auto_seal
        self._opener: Seal | None = None
        self._former_opener: Seal | None = None
        self.former_is_ours = False
        """Whether the former shares are those of a rekey since the vault was opened: its answer decides about them, and nobody else."""

    def opened_by(self, seal: Seal) -> None:
        """The vault is open, by ``seal``."""
        self._opener = seal

    def forget(self) -> None:
        """Overwrite every key of a seal: the vault is closed."""
        self.former_is_ours = False
        self._forget_former()
        opener, self._opener = self._opener, None
        if opener is not None and opener is not self._auto_seal:
            opener.wipe()

    @property
    def opener(self) -> Seal:
        """The seal that opened the vault, with its key. Raises Sealed, and InvalidRequest in a process that was handed the root key."""
        self._barrier()
        if self._opener is None:
            raise InvalidRequest("this process did not open the vault; ask the one that did")
        return self._opener

    def rotate_root_key(self) -> None:
        """Put a new root key in the place of the present one. Seal and shares stay. Raises InvalidRequest and what the store raises."""
        with self._lock:
            self.change_root_key(rewrapped(self._barrier(), self.opener, self._surroundings.entropy))

    def change_root_key(self, change: Callable[[SealRows, bytearray], RowChanges]) -> None:
        """Draw a root key, and put it with the rows that ``change`` makes of it in the place of the present ones, in one commit.

        Raises InvalidRequest where others keep changing the same rows, and what the store raises.
        """
        with self._lock:
            barrier, followers = self._barrier(), self.followers
            root_key = aead.draw_key(self._surroundings.entropy)
            try:
                if followers is not None:
                    followers.root_key_coming(root_key)
                self.replace(barrier, root_key, change)
            finally:
                aead.wipe(root_key)
                if followers is not None:
                    followers.root_key_settled()

    def replace(
        self, barrier: Barrier, root_key: bytearray, change: Callable[[SealRows, bytearray], RowChanges]
    ) -> None:
        """The same for a vault that nobody else has open yet. Does not own ``root_key``."""

        def commit(rows: SealRows) -> None:
            changed = change(rows, root_key)
            puts = rows.put({key: value for key, value in changed.items() if value is not None})
            deletes = [key for key, value in changed.items() if value is None]
            barrier.replace_root_key(root_key, rows.versions, puts, deletes)

        self._repeat(commit)

    def change_rows(self, barrier: Barrier, change: Callable[[SealRows], RowChanges]) -> None:
        """Put the rows that ``change`` makes in the place of the present ones. Raises as :meth:`change_root_key`."""

        def commit(rows: SealRows) -> None:
            changed = change(rows)
            puts = rows.put({key: value for key, value in changed.items() if value is not None})
            deletes = [key for key, value in changed.items() if value is None]
            self._surroundings.store.commit(rows.versions, puts, deletes, barrier.witness)

        with self._lock:
            self._repeat(commit)

    def take_shares(self, key: bytearray, *, keep_former: bool) -> None:
        """Wrap root keys with ``key`` from now on, which is copied; ``keep_former`` where that may be taken back."""
        with self._lock:
            former = self.opener
            self._opener = ShamirSeal(bytearray(key), self._surroundings.entropy)
            self._forget_former()
            if keep_former:
                self._former_opener = former
            else:
                former.wipe()

    def settle_shares(self, *, by_former: bool = False) -> None:
        """Only one set of shares counts from now on: the new one, or the former. Raises what the store raises: then both do, still."""
        with self._lock:
            failpoints.reach("former_before_drop")
            self.change_rows(self._barrier(), lambda rows: settled(rows, by_former=by_former))
            failpoints.reach("former_after_drop")
            if by_former and self._former_opener is not None:
                self.opener.wipe()
                self._opener, self._former_opener = self._former_opener, None
            self._forget_former()

    def _forget_former(self) -> None:
        former, self._former_opener = self._former_opener, None
        if former is not None:
            former.wipe()

    def _repeat(self, commit: Callable[[SealRows], None]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                commit(self._rows())
            except Conflict:
                continue
            return
        raise InvalidRequest("the keys were changed meanwhile by others, again and again; begin again")
