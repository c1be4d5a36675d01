"""Removes what has expired, and what was unmounted, a little at a time; and has keys rotated that are due.

Nothing depends on it for safety: expiry is checked at every use (INV-13), and what was unmounted is found by nobody.
"""

from __future__ import annotations

import threading

from strongroom.consumers import store as consumers
from strongroom.core.background import Background
from strongroom.core.batch import Alarms
from strongroom.core.fingerprints import sweep_unmounted
from strongroom.core.removal import remove_left_in_mounts, remove_unmounted
from strongroom.core.resealing import Resealing
from strongroom.core.reuse_index import list_pending
from strongroom.core.term_rotation import rotate_due_terms
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import LogicalError
from strongroom.physical.store import Conflict, Unavailable, Unknown
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed
from strongroom.telemetry.catalog import SWEPT

INTERVAL_SECONDS = 30.0
TOKENS_PER_ROUND = 500
TOKENS_PER_STEP = 100
"""How many tokens of revoked trees are removed in one commit: some ten milliseconds."""
CONSUMERS_PER_ROUND = 500
FINGERPRINTS_PER_STEP = 500
"""How many rows of the index are looked at, and removed where their mount is gone, in one commit: some milliseconds."""


class Sweeper(Background):
    """A background thread. ``alarms`` hear of what it could not do; it tries again at the next round."""

    def __init__(self, node: Node, alarms: Alarms, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        super().__init__("sweeper")
        self._node = node
        self._alarms = alarms
        self._interval_seconds = interval_seconds
        self._resealing = Resealing(node)
        self._awake = threading.Event()

    def start(self) -> None:
        """Begin."""
        self._node.wake_sweeper = self._awake.set
        super().start()

    def stop(self) -> None:
        """End, once the round in progress is over."""
        self._stopping.set()
        self._awake.set()
        super().stop()

    def sweep(self) -> int:
        """One round; returns how many tokens were removed."""
        unsealed = self._node.unsealed
        if unsealed is None:
            return 0
        with unsealed.barrier.transaction() as transaction:
            swept = unsealed.tokens.sweep(transaction, TOKENS_PER_ROUND)
            if transaction.has_changes:
                unsealed.barrier.commit(transaction)
        if swept:
            self._node.telemetry.add(SWEPT, count=swept)
        with unsealed.barrier.transaction() as transaction:
            consumers.sweep(transaction, self._node.clock.now_ns(), CONSUMERS_PER_ROUND)
            if transaction.has_changes:
                unsealed.barrier.commit(transaction)
        while list_pending(unsealed) and not self._stopping.is_set():
            pass  # one step after the other: until it is done, the guard does not know of what the mount holds
        self._go_on(unsealed)
        rotate_due_terms(unsealed)  # last: what cannot be written must not keep space from being freed
        return swept

    def _go_on(self, unsealed: Unsealed) -> None:
        """Do what takes many steps, at half a processor, until it is done or the next round is due."""
        clock = self._node.clock
        due = clock.monotonic() + self._interval_seconds
        while not self._stopping.is_set() and not self._awake.is_set():
            started = clock.monotonic()
            if not self._step(unsealed):
                return
            if clock.monotonic() >= due:
                self._awake.set()  # the next round begins at once, and comes back to this
            self._stopping.wait(clock.monotonic() - started)

    def _step(self, unsealed: Unsealed) -> bool:
        """Do a little of what is next; whether there may be more. What is removed need not be sealed anew, so that comes last."""
        return (
            self._clear_tokens(unsealed)
            or remove_unmounted(unsealed)
            or self._forget_unmounted(unsealed)
            or remove_left_in_mounts(unsealed)
            or self._resealing.step(unsealed)
        )

    def _clear_tokens(self, unsealed: Unsealed) -> bool:
        with unsealed.barrier.transaction() as transaction:
            has_more = unsealed.tokens.clear(transaction, TOKENS_PER_STEP) > 0
            if transaction.has_changes:
                unsealed.barrier.commit(transaction)
        return has_more

    def _forget_unmounted(self, unsealed: Unsealed) -> bool:
        with unsealed.barrier.transaction() as transaction:
            has_more = sweep_unmounted(transaction, FINGERPRINTS_PER_STEP)
            unsealed.barrier.commit(transaction)
        return has_more

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._awake.wait(self._interval_seconds)
            if self._stopping.is_set():
                return
            self._awake.clear()
            try:
                self.sweep()
            except (Conflict, LogicalError):
                continue  # somebody was faster, or the vault was sealed meanwhile
            except (Damaged, Unavailable) as failure:
                self._alarms.on_failure(failure)
            except Unknown:
                self._alarms.on_unknown()
