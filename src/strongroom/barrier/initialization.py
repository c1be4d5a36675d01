"""Making a new vault: its keys, its seal, its shares and its first records, stored in one commit."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.seal_rows import CONFIG_KEY, RECOVERY_KEY, ROOT_KEY_KEY, RecoveryConfig, SealConfig, encode_row
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import check_numbers, split
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.barrier.transaction import Transaction
from strongroom.crypto import aead
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.secret import Secret
from strongroom.physical.store import Conflict, Record

_RECOVERY_PURPOSE = b"strongroom recovery key verifier"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitConfig:
    """How many shares an initialization makes. Recovery shares belong to seals that unseal by themselves, unseal shares to the other."""

    secret_shares: int = 0
    secret_threshold: int = 0
    recovery_shares: int = 0
    recovery_threshold: int = 0


@dataclass(frozen=True, slots=True)
class InitResult:
    """The only copies of the shares."""

    shares: tuple[Secret[bytes], ...] = field(default=(), repr=False)
    recovery_shares: tuple[Secret[bytes], ...] = field(default=(), repr=False)


def initialize(
    surroundings: Surroundings, auto_seal: Seal | None, config: InitConfig, populate: Callable[[Transaction], None]
) -> InitResult:
    """Make a vault in the empty store. ``populate`` writes its first records.

    Raises InvalidRequest on numbers of shares that are impossible or do not belong to the seal, and where another server was faster.
    """
    _check(auto_seal, config)
    entropy = surroundings.entropy
    key_to_split = aead.draw_key(entropy)
    barrier = Barrier.create(surroundings, aead.draw_key(entropy))
    try:
        if auto_seal is None:
            rows = _rows(ShamirSeal(key_to_split, entropy), barrier, config.secret_shares, config.secret_threshold)
            shares = split(key_to_split, config.secret_shares, config.secret_threshold, entropy)
        else:
            rows = _rows(auto_seal, barrier, 0, 0)
            verifier = recovery_verifier(barrier, key_to_split)
            recovery = RecoveryConfig(config.recovery_shares, config.recovery_threshold, verifier)
            rows[RECOVERY_KEY] = encode_row(recovery)
            shares = split(key_to_split, config.recovery_shares, config.recovery_threshold, entropy)
        _store(surroundings, barrier, rows, populate)
    finally:
        barrier.seal()
        aead.wipe(key_to_split)
    handed = hand_out(shares)
    return InitResult(shares=handed) if auto_seal is None else InitResult(recovery_shares=handed)


def recovery_verifier(barrier: Barrier, recovery_key: bytearray) -> bytes:
    """What proves ``recovery_key`` to those who have the root key, and tells nothing to all others."""
    key = barrier.derive(_RECOVERY_PURPOSE)
    try:
        return hmac.digest(key, recovery_key, "sha256")
    finally:
        aead.wipe(key)


def hand_out(shares: list[bytearray]) -> tuple[Secret[bytes], ...]:
    """The shares as they leave the barrier; our own buffers are wiped."""
    handed = tuple(Secret(bytes(share)) for share in shares)
    aead.wipe(*shares)
    return handed


def _check(auto_seal: Seal | None, config: InitConfig) -> None:
    if auto_seal is None:
        if config.recovery_shares or config.recovery_threshold:
            raise InvalidRequest("parameters recovery_shares,recovery_threshold not applicable to seal type shamir")
        check_numbers(config.secret_shares, config.secret_threshold)
    else:
        if config.secret_shares or config.secret_threshold:
            raise InvalidRequest(
                f"parameters secret_shares,secret_threshold not applicable to seal type {auto_seal.type}"
            )
        check_numbers(config.recovery_shares, config.recovery_threshold)


def _rows(seal: Seal, barrier: Barrier, shares: int, threshold: int) -> dict[str, bytes]:
    root_key = barrier.copy_root_key()
    try:
        wrapped = seal.wrap(root_key)
    finally:
        aead.wipe(root_key)
    return {CONFIG_KEY: encode_row(SealConfig(seal.type, shares, threshold)), ROOT_KEY_KEY: wrapped}


def _store(
    surroundings: Surroundings, barrier: Barrier, rows: dict[str, bytes], populate: Callable[[Transaction], None]
) -> None:
    with barrier.transaction() as transaction:
        populate(transaction)
        puts = barrier.founding_records(transaction)
    puts |= {key: Record(1, value) for key, value in rows.items()}
    try:
        # Nothing of a vault may be there, not even the rest of one whose seal was lost.
        failpoints.reach("founding_before_persist")
        surroundings.store.commit({**dict.fromkeys(puts), ROOT_KEY: None}, puts, (), barrier.witness)
        failpoints.reach("founding_after_persist")
    except Conflict:
        raise InvalidRequest("Vault is already initialized") from None
