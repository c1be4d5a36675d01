"""Proof that enough of the people who hold shares agree: for a rekey, for a new root token.

The shares are the unseal shares, or the recovery shares where the seal unseals by itself. They are checked against what is stored,
only once there are enough of them, so that a single holder learns nothing about the own share by trying.
"""

from __future__ import annotations

import hmac

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.initialization import recovery_verifier
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.seal_rows import SealRows
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
        rows = lifecycle.rows_or_refuse()
        threshold = rows.recovery.threshold if rows.recovery else rows.config.threshold
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

        Raises InvalidRequest on a bad text, on another attempt's nonce, and where enough shares gave the wrong key; in the last case
        the collecting begins anew under the same nonce.
        """
        share = decode_share(text)
        try:
            check_nonce(nonce, self.nonce)
            barrier, rows = self._lifecycle.unsealed(), self._lifecycle.rows_or_refuse()
        except BaseException:
            aead.wipe(share)
            raise
        self._collector.submit(share)
        if not self._collector.is_complete:
            return False
        try:
            key = self._collector.combine()
            try:
                self._prove(key, barrier, rows)
            finally:
                aead.wipe(key)
        except Damaged:
            raise InvalidRequest(
                "invalid key: the shares do not give the key; begin again with the first share"
            ) from None
        return True

    def cancel(self) -> None:
        """Forget and wipe the shares."""
        self._collector.reset()

    def _prove(self, key: bytearray, barrier: Barrier, rows: SealRows) -> None:
        """Raise Damaged unless ``key`` is the recovery key, or opens the stored root key where there are unseal shares."""
        if rows.recovery is not None:
            if not hmac.compare_digest(recovery_verifier(barrier, key), rows.recovery.verifier):
                raise Damaged
            return
        stored = ShamirSeal(key, self._lifecycle.surroundings.entropy).unwrap(rows.root_key)
        ours = barrier.copy_root_key()
        try:
            if not hmac.compare_digest(stored, ours):
                raise Damaged
        finally:
            aead.wipe(stored, ours)


def check_nonce(given: str, expected: str) -> None:
    """Raise InvalidRequest where ``given`` does not name the operation in progress."""
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode()):
        raise InvalidRequest(
            "incorrect nonce supplied; read the status of the operation in progress and send its nonce"
        )
