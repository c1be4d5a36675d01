"""Has each process remember which values are listed for the guard against reuse, from the unseal on, so that hardly any write waits for it.

It goes on for as long as the vault is open: a process that judges nothing for a while would otherwise be as far behind as after an unseal.
"""

from __future__ import annotations

from collections.abc import Callable

from strongroom.core.background import Background
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import Sealed
from strongroom.physical.store import StoreError
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed

ROUND_SECONDS = 0.5
"""So often it is seen whether the vault was opened, and what was added."""
SHARE = 0.25
"""The part of a processor that the learning may take."""
PARTS_PER_STEP = 32


class ReuseLearner(Background):
    """A background thread of every process. ``on_failure`` hears of what it could not do.

    Nothing depends on it: whoever must know earlier learns the rest by itself.
    """

    def __init__(self, node: Node, on_failure: Callable[[Exception], None]) -> None:
        super().__init__("reuse-learner")
        self._node = node
        self._on_failure = on_failure
        self._failed: Unsealed | None = None
        """The opened vault whose lists could not be read."""

    def round(self, pause: Callable[[float], bool] | None = None) -> None:
        """Learn what is new, resting after each step.

        ``pause`` waits for so many seconds and answers whether to stop. Raises Damaged and StoreError, once for each unseal.
        """
        unsealed = self._node.unsealed
        if unsealed is None or unsealed is self._failed:
            return
        clock, rest = self._node.clock, pause or self._stopping.wait
        has_more = True
        while has_more:
            started = clock.monotonic()
            try:
                with unsealed.barrier.transaction() as transaction:
                    has_more = unsealed.listed.learn(transaction, PARTS_PER_STEP)
            except (Damaged, StoreError):
                self._failed = unsealed
                raise
            if has_more and rest((clock.monotonic() - started) * (1 - SHARE) / SHARE):
                return

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_SECONDS):
            try:
                self.round()
            except Sealed:
                continue
            except (Damaged, StoreError) as failure:
                # Whoever asks the list meets the same, and is refused: nothing is stored that was not judged.
                self._on_failure(failure)
