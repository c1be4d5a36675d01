"""Removes what has expired, a little at a time. Nothing depends on it for safety: expiry is checked at every use (INV-13)."""

from __future__ import annotations

import threading

from strongroom.consumers import store as consumers
from strongroom.core.background import Background
from strongroom.core.batch import Alarms
from strongroom.core.fingerprints import sweep_unmounted
from strongroom.core.resealing import Resealing
from strongroom.core.reuse_index import list_pending
from strongroom.logical.errors import LogicalError
from strongroom.physical.store import Conflict, Unavailable, Unknown
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed
from strongroom.telemetry.catalog import SWEPT

INTERVAL_SECONDS = 30.0
TOKENS_PER_ROUND = 500
CONSUMERS_PER_ROUND = 500
FINGERPRINTS_PER_ROUND = 2000
"""How many rows of the index are looked at where a mount is gone: some milliseconds."""


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
        with unsealed.barrier.transaction() as transaction:
            sweep_unmounted(transaction, FINGERPRINTS_PER_ROUND)
            if transaction.has_changes:
                unsealed.barrier.commit(transaction)
        while list_pending(unsealed) and not self._stopping.is_set():
            pass  # one step after the other: until it is done, the guard does not know of what the mount holds
        self._reseal(unsealed)
        return swept

    def _reseal(self, unsealed: Unsealed) -> None:
        """Seal anew what lies under another keyring than its own, at half a processor, until something else is to be done."""
        clock = self._node.clock
        has_more = True
        while has_more and not self._stopping.is_set() and not self._awake.is_set():
            started = clock.monotonic()
            has_more = self._resealing.step(unsealed)
            self._stopping.wait(clock.monotonic() - started)

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
            except Unavailable as failure:
                self._alarms.on_failure(failure)
            except Unknown:
                self._alarms.on_unknown()
