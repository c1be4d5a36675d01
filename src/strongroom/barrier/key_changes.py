"""Changes of what opens the vault, while it is open: another root key, other shares. Each is one commit of everything that belongs together.

Owns the key of the seal that opened the vault, in a buffer that sealing overwrites: with it a new root key is wrapped for the same shares.
Owns the handover of new shares too: whatever changes before it ends leaves both sets in effect.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.opening import rewrapped
from strongroom.barrier.seal_rows import RowChanges, SealRows
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.crypto import aead
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.store import Conflict, Record, Unavailable

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


@dataclass(frozen=True, slots=True, eq=False)
class Handover:
    """New shares on their way to their keepers: until it ends, those before them count beside them. Each rekey has its own.

    ``former`` is the seal of the former unseal shares, with its key; None where the shares are recovery shares.
    """

    former: Seal | None = field(default=None, repr=False)


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
        self._handover: Handover | None = None
        self._chosen: bool | None = None

    def opened_by(self, seal: Seal) -> None:
        """The vault is open, by ``seal``."""
        self._opener = seal

    def forget(self) -> None:
        """Overwrite every key of a seal: the vault is closed."""
        self._chosen = None
        self.end_handover()
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

    @property
    def is_handing_over(self) -> bool:
        """Whether new shares are on their way: their answer decides which set counts, and nobody else."""
        return self._handover is not None

    def in_effect(self, rows: SealRows) -> SealRows:
        """``rows`` as the shares have them that proved themselves, where the store could not be told yet."""
        return rows if self._chosen is None else rows.settled(by_former=self._chosen)

    def rotate_root_key(self) -> None:
        """Put a new root key in the place of the present one. Seal and shares stay. Raises InvalidRequest and what the store raises."""
        with self._lock:
            former = self._handover.former if self._handover is not None else None
            self.change_root_key(rewrapped(self._barrier(), self.opener, former, self._surroundings.entropy))

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
            puts, deletes = self._commitment(rows, lambda present: change(present, root_key))
            barrier.replace_root_key(root_key, rows.versions, puts, deletes)

        self._repeat(commit)

    def change_rows(self, barrier: Barrier, change: Callable[[SealRows], RowChanges]) -> None:
        """Put the rows that ``change`` makes in the place of the present ones. Raises as :meth:`change_root_key`."""

        def commit(rows: SealRows) -> None:
            puts, deletes = self._commitment(rows, change)
            self._surroundings.store.commit(rows.versions, puts, deletes, barrier.witness)

        with self._lock:
            self._repeat(commit)

    def take_shares(self, key: bytearray, *, keep_former: bool) -> Handover | None:
        """Wrap root keys with ``key`` from now on, which is copied. With ``keep_former`` a handover begins; without, one that lasts is over."""
        with self._lock:
            former = self.opener
            self._opener = ShamirSeal(bytearray(key), self._surroundings.entropy)
            if keep_former:
                return self.begin_handover(former)
            former.wipe()
            self.end_handover()
            return None

    def begin_handover(self, former: Seal | None = None) -> Handover:
        """New shares are stored, beside those of before. Owns ``former``. A handover that lasts is over: its shares were used for this."""
        with self._lock:
            self.end_handover()
            self._handover = Handover(former)
            return self._handover

    def settle(self, handover: Handover, *, by_former: bool = False) -> None:
        """Only one set of shares counts from now on: the new one, or the former. Raises what the store raises: then both do, still.

        Does nothing where ``handover`` is over: another rekey took its place, or the vault was closed, and both sets count until one opens it.
        """
        with self._lock:
            if self._handover is not handover:
                return
            failpoints.reach("former_before_drop")
            self.change_rows(self._barrier(), lambda rows: rows.changes_to(rows.settled(by_former=by_former)))
            failpoints.reach("former_after_drop")
            self._handover = None
            if by_former and handover.former is not None:
                self.opener.wipe()
                self._opener = handover.former
            elif handover.former is not None:
                handover.former.wipe()

    def choose(self, barrier: Barrier, *, by_former: bool) -> None:
        """One of two sets of shares proved itself, of which nobody knew whether they were handed out: it alone counts from now on.

        Where the store takes no writes both count a little longer, and the next change of keys makes up for it. Raises Unknown.
        """
        with self._lock:
            failpoints.reach("former_before_drop")
            try:
                self.change_rows(barrier, lambda rows: rows.changes_to(rows.settled(by_former=by_former)))
            except (InvalidRequest, Unavailable):
                self._chosen = by_former
            failpoints.reach("former_after_drop")

    def end_handover(self) -> None:
        """The one that lasts, if any, is over: the store has one set of shares, which proved itself."""
        handover, self._handover = self._handover, None
        if handover is not None and handover.former is not None:
            handover.former.wipe()

    def _commitment(
        self, rows: SealRows, change: Callable[[SealRows], RowChanges]
    ) -> tuple[dict[str, Record], list[str]]:
        """What to store and what to delete: ``change``, after what the store could not be told yet."""
        present = self.in_effect(rows)
        changed = {**rows.changes_to(present), **change(present)}
        puts = rows.put({key: value for key, value in changed.items() if value is not None})
        return puts, [key for key, value in changed.items() if value is None]

    def _repeat(self, commit: Callable[[SealRows], None]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                commit(self._rows())
            except Conflict:
                continue
            self._chosen = None  # what was owed is stored with it
            return
        raise InvalidRequest("the keys were changed meanwhile by others, again and again; begin again")
