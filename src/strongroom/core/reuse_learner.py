"""Has each process remember which values are listed for the guard against reuse, from the unseal on, so that hardly any write waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import Sealed
from strongroom.physical.store import StoreError
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed

ROUND_SECONDS = 0.5
"""So often it is seen whether the vault was opened."""
SHARE = 0.25
"""The part of a processor that the learning may take."""
PARTS_PER_STEP = 32


class ReuseLearner:
    """A background thread of every process. ``on_failure`` hears of what it could not do.

    Nothing depends on it: whoever must know earlier learns the rest by itself.
    """

    def __init__(self, node: Node, on_failure: Callable[[Exception], None]) -> None:
        self._node = node
        self._on_failure = on_failure
        self._learned: Unsealed | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reuse-learner", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once the step in progress is over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def round(self, pause: Callable[[float], bool] | None = None) -> None:
        """Learn what there is, once for each unseal, resting after each step.

        ``pause`` waits for so many seconds and answers whether to stop.
        """
        unsealed = self._node.unsealed
        if unsealed is None or unsealed is self._learned:
            return
        self._learned = unsealed
        clock, rest = self._node.clock, pause or self._stopping.wait
        has_more = True
        while has_more:
            started = clock.monotonic()
            with unsealed.barrier.transaction() as transaction:
                has_more = unsealed.listed.learn(transaction, PARTS_PER_STEP)
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
