"""Looks through the whole store, from the unseal on and then once a day, so gently that nobody notices; and moves the anchor."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.tampering import Finding, Tampering
from strongroom.core.background import Background
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import Sealed
from strongroom.physical.store import StoreError
from strongroom.system.integrity import Inspected, OnTamper, State
from strongroom.system.node import Node

ROUND_SECONDS = 2.0
"""So often the anchor is moved, and it is seen whether an inspection is due."""
EVERY_SECONDS = 24 * 3600.0
SHARE = 0.1
"""The part of a processor that an inspection may take."""
_PROGRESS_STEPS = 64


class Inspector(Background):
    """A background thread of the process that opens the vault. ``on_failure`` hears of what it could not do."""

    def __init__(self, node: Node, on_failure: Callable[[Exception], None]) -> None:
        super().__init__("inspector")
        self._node = node
        self._on_failure = on_failure
        self._inspected: Barrier | None = None
        self._inspected_at = 0.0
        self._told = ""

    def round(self, pause: Callable[[float], bool] | None = None) -> None:
        """What is due now: the anchor, and an inspection of a vault that was not inspected since its unseal or for a day.

        ``pause`` waits for so many seconds and answers whether to stop.
        """
        barrier = self._node.lifecycle.barrier
        if barrier is None or self._node.unsealed is None:
            self._inspected = None
            return
        self._node.move_anchor()
        now = self._node.clock.monotonic()
        if barrier is not self._inspected or now - self._inspected_at >= EVERY_SECONDS:
            self._inspected, self._inspected_at = barrier, now
            self._inspect(barrier, pause or self._stopping.wait)
        if self._node.integrity.is_tampered and self._node.integrity.on_tamper is OnTamper.SEAL:
            self._node.integrity.on_alarm("the vault is being sealed, because its store was tampered with")
            self._node.seal()

    def _inspect(self, barrier: Barrier, pause: Callable[[float], bool]) -> None:
        node, began_ns = self._node, self._node.clock.now_ns()
        inspection = Inspection(barrier, node.lifecycle.surroundings.store)
        try:
            is_whole = self._pace(inspection, began_ns, pause)
        except Sealed:
            return
        except Damaged:
            inspection.findings.append(Finding(Tampering.ROOT_EDITED))
            is_whole = True
        if not is_whole:
            return
        node.integrity.alarm(inspection.findings)
        state = State.TAMPERED if inspection.findings else State.INTACT
        counter = inspection.root.counter if inspection.root is not None else 0
        node.integrity.inspected = Inspected(state, inspection.records, counter, began_ns, node.clock.now_ns())

    def _pace(self, inspection: Inspection, began_ns: int, pause: Callable[[float], bool]) -> bool:
        """Go through, resting after each step; whether the end was reached."""
        clock = self._node.clock
        started = clock.monotonic()
        for number, _ in enumerate(inspection.run()):
            if number % _PROGRESS_STEPS == 0:
                self._node.integrity.inspected = Inspected(State.RUNNING, inspection.records, 0, began_ns, 0)
            if pause((clock.monotonic() - started) * (1 - SHARE) / SHARE):
                return False
            started = clock.monotonic()
        return True

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_SECONDS):
            try:
                self.round()
            except Sealed:
                continue
            except StoreError as failure:
                self._inspected = None
                # Tried again in every round: each reason is told once.
                if str(failure) != self._told:
                    self._told = str(failure)
                    self._on_failure(failure)
            else:
                self._told = ""
