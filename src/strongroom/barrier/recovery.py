"""The recovery key: what proves it, although the vault keeps no copy of it."""

from __future__ import annotations

import hmac

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.seal_rows import RecoveryConfig
from strongroom.crypto import aead
from strongroom.logical.ambient import Entropy

_ROOT_KEY_PURPOSE = b"strongroom recovery key verifier"
_LASTING_PURPOSE = b"strongroom recovery key verifier, format 2"
_CARRIED_PURPOSE = b"strongroom recovery key verifier, carried over"
_CARRIED = b"strongroom recovery key verifier of format 1"


def recovery_config(barrier: Barrier, recovery_key: bytearray, shares: int, threshold: int) -> RecoveryConfig:
    """The row for a new recovery key, which lasts whatever the root key will be."""
    key = barrier.derive_lasting(_LASTING_PURPOSE)
    try:
        return RecoveryConfig(shares, threshold, hmac.digest(key, recovery_key, "sha256"))
    finally:
        aead.wipe(key)


def proves(barrier: Barrier, recovery_key: bytearray, row: RecoveryConfig) -> bool:
    """Whether ``recovery_key`` is the one that ``row`` was made for. Raises Damaged where the row was not made by this vault."""
    key = _key_of(barrier, row)
    try:
        return hmac.compare_digest(hmac.digest(key, recovery_key, "sha256"), row.verifier)
    finally:
        aead.wipe(key)


def carried_over(barrier: Barrier, row: RecoveryConfig, entropy: Entropy) -> RecoveryConfig:
    """``row`` in a form that outlives the present root key."""
    if row.format > 1:
        return row
    key, wrapping = _key_of(barrier, row), barrier.derive_lasting(_CARRIED_PURPOSE)
    try:
        sealed = aead.seal(wrapping, key, _CARRIED, entropy)
    finally:
        aead.wipe(key, wrapping)
    return RecoveryConfig(row.shares, row.threshold, row.verifier, key=sealed)


def _key_of(barrier: Barrier, row: RecoveryConfig) -> bytearray:
    if row.format == 1:
        return barrier.derive(_ROOT_KEY_PURPOSE)
    if not row.key:
        return barrier.derive_lasting(_LASTING_PURPOSE)
    wrapping = barrier.derive_lasting(_CARRIED_PURPOSE)
    try:
        return aead.open_sealed(wrapping, row.key, _CARRIED)
    finally:
        aead.wipe(wrapping)
