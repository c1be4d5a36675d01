"""Proof that enough of the people who hold shares agree: for a rekey, for a new root token.

The shares are the unseal shares, or the recovery shares where the seal unseals by itself. They are checked against what is stored,
only once there are enough of them, so that a single holder learns nothing about the own share by trying. Where a rekey of the recovery key
was cut off, the shares before it and after it both count, until one of the two sets proves itself.
"""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Iterator

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.recovery import proves
from strongroom.barrier.seal_rows import RecoveryConfig, SealRows
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import ShareCollector, decode_share, new_nonce
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import InvalidRequest


class Authorisation:
    """One attempt to collect the proof, under a nonce of its own. Raises Sealed where the vault is sealed.

    Not thread-safe: whoever owns the attempt serialises its callers.
    """

    def __init__(self, lifecycle: Lifecycle) -> None:
        lifecycle.unsealed()
        self._lifecycle = lifecycle
        rows = lifecycle.rows_in_effect()
        threshold = rows.config.threshold
        if rows.recovery is not None:
            former = _former(rows, lifecycle)
            threshold = max(rows.recovery.threshold, former.threshold if former else 0)
        self._collector = ShareCollector(threshold, new_nonce(lifecycle.surroundings.entropy))

    @property
    def nonce(self) -> str:
        """The name of the attempt, which each share must come with."""
        return self._collector.nonce

    @property
    def progress(self) -> int:
        """How many shares are there."""
        return self._collector.progress

    @property
    def required(self) -> int:
        """How many shares are needed."""
        return self._collector.threshold

    def submit(self, text: str, nonce: str) -> bool:
        """Take a share; answers whether the proof is complete.

        Raises InvalidRequest on a bad text, on another attempt's nonce, on a share that was given already, and where enough shares gave
        the wrong key; in the last case the collecting begins anew under the same nonce.
        """
        share = decode_share(text)
        try:
            check_nonce(nonce, self.nonce)
            barrier, rows = self._lifecycle.unsealed(), self._lifecycle.rows_in_effect()
        except BaseException:
            aead.wipe(share)
            raise
        if not self._collector.submit(share):
            raise InvalidRequest("given key has already been provided during this generation operation")
        if self._is_proven(barrier, rows):
            self._collector.reset()
            return True
        if not self._collector.is_complete:
            return False
        self._collector.reset()
        raise InvalidRequest("invalid key: the shares do not give the key; begin again with the first share")

    def cancel(self) -> None:
        """Forget and wipe the shares."""
        self._collector.reset()

    def _is_proven(self, barrier: Barrier, rows: SealRows) -> bool:
        for threshold, prove, is_former in _proofs(barrier, rows, self._lifecycle):
            if threshold != self._collector.progress:
                continue
            try:
                key = self._collector.attempt()
            except Damaged:
                continue
            try:
                if not prove(key):
                    continue
            except Damaged:
                continue
            finally:
                aead.wipe(key)
            if _former(rows, self._lifecycle) is not None:
                self._lifecycle.keys.choose(barrier, by_former=is_former)
            return True
        return False


def _proofs(
    barrier: Barrier, rows: SealRows, lifecycle: Lifecycle
) -> Iterator[tuple[int, Callable[[bytearray], bool], bool]]:
    """How many shares prove it, what their key must pass, and whether they are those of before a rekey."""
    if rows.recovery is None:
        entropy = lifecycle.surroundings.entropy
        yield rows.config.threshold, lambda key: _opens(ShamirSeal(key, entropy), rows.root_key, barrier), False
        return
    for row, is_former in ((rows.recovery, False), (_former(rows, lifecycle), True)):
        if row is not None:
            yield row.threshold, functools.partial(_proves, barrier, row), is_former


def _former(rows: SealRows, lifecycle: Lifecycle) -> RecoveryConfig | None:
    """The shares of before a rekey that was cut off."""
    return None if lifecycle.keys.is_handing_over else rows.former_recovery


def _proves(barrier: Barrier, row: RecoveryConfig, key: bytearray) -> bool:
    return proves(barrier, key, row)


def _opens(seal: ShamirSeal, blob: bytes, barrier: Barrier) -> bool:
    """Whether ``seal`` opens the stored root key, and it is ours. Raises Damaged where it opens nothing."""
    stored = seal.unwrap(blob)
    ours = barrier.copy_root_key()
    try:
        return hmac.compare_digest(stored, ours)
    finally:
        aead.wipe(stored, ours)


def check_nonce(given: str, expected: str) -> None:
    """Raise InvalidRequest where ``given`` does not name the operation in progress."""
    if not is_nonce(given, expected):
        raise InvalidRequest(
            "incorrect nonce supplied; read the status of the operation in progress and send its nonce"
        )


def is_nonce(given: str, expected: str) -> bool:
    """Whether it does."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
