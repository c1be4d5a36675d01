"""Making a new vault: its keys, its seal, its shares and its first records, stored in one commit.

A vault whose shares nobody was told is of no use and could never be made again, so it begins *unannounced*: with a row that says so, and
that goes as soon as the answer with the shares is recorded. Whoever initializes where that row is found begins anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.hand_out import HandedOut, check_recipients, hand_out
from strongroom.barrier.recovery import recovery_config
from strongroom.barrier.seal_rows import (
    CONFIG_KEY,
    RECOVERY_KEY,
    ROOT_KEY_KEY,
    UNANNOUNCED_KEY,
    SealConfig,
    encode_row,
    read_seal_rows,
)
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import check_numbers, split
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.barrier.transaction import Transaction
from strongroom.crypto import aead
from strongroom.crypto.openpgp import Recipient, read_recipients
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.secret import Secret
from strongroom.physical.store import Conflict, Record, Store, Unavailable

_UNANNOUNCED_RECORDS_MAX = 256
"""A vault that was never opened has no more records than this, and more are never deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitConfig:
    """How many shares an initialization makes. Recovery shares belong to seals that unseal by themselves, unseal shares to the other.

    PGP keys are base64, one for each share, in the order of the shares; or none at all.
    """

    secret_shares: int = 0
    secret_threshold: int = 0
    pgp_keys: Sequence[str] = ()
    recovery_shares: int = 0
    recovery_threshold: int = 0
    recovery_pgp_keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class InitResult:
    """The only copies of the shares. One of the two is empty, by the kind of seal."""

    unseal: HandedOut = field(default=HandedOut(), repr=False)
    recovery: HandedOut = field(default=HandedOut(), repr=False)

    @property
    def shares(self) -> tuple[Secret[bytearray], ...]:
        """The unseal shares."""
        return self.unseal.shares

    @property
    def recovery_shares(self) -> tuple[Secret[bytearray], ...]:
        """The recovery shares."""
        return self.recovery.shares

    def wipe(self) -> None:
        """Overwrite our copies, once they are in the answer."""
        self.unseal.wipe()
        self.recovery.wipe()


@dataclass(frozen=True, slots=True)
class Founding:
    """A vault that exists, unannounced, and its shares. One of the two ends it: :meth:`announce`, or :meth:`abandon`."""

    result: InitResult
    _surroundings: Surroundings = field(repr=False)
    _barrier: Barrier = field(repr=False)

    def announce(self) -> None:
        """The shares are on record and may leave: the vault exists from now on. Raises what the store raises; then it does not."""
        try:
            failpoints.reach("founding_before_announce")
            self._surroundings.store.commit({UNANNOUNCED_KEY: 1}, {}, (UNANNOUNCED_KEY,), self._barrier.witness)
            failpoints.reach("founding_after_announce")
            mark_founded(self._surroundings.store)
            failpoints.reach("founding_after_mark")
        finally:
            self._barrier.seal()

    def abandon(self) -> None:
        """Nobody will be told the shares: as if nothing had been. What is stored goes with the next initialization."""
        self._barrier.seal()
        self.result.wipe()


def found(
    surroundings: Surroundings, auto_seal: Seal | None, config: InitConfig, populate: Callable[[Transaction], None]
) -> Founding:
    """Make a vault in the empty store. ``populate`` writes its first records.

    Raises InvalidRequest on numbers of shares that are impossible or do not belong to the seal, on PGP keys that cannot be used, and
    where another server was faster.
    """
    recipients = _check(surroundings, auto_seal, config)
    _clear_unannounced(surroundings)
    entropy = surroundings.entropy
    key_to_split = aead.draw_key(entropy)
    barrier = Barrier.create(surroundings, aead.draw_key(entropy))
    try:
        if auto_seal is None:
            count, threshold = config.secret_shares, config.secret_threshold
            rows = _rows(ShamirSeal(key_to_split, entropy), barrier, count, threshold)
        else:
            count, threshold = config.recovery_shares, config.recovery_threshold
            rows = _rows(auto_seal, barrier, 0, 0)
            rows[RECOVERY_KEY] = encode_row(recovery_config(barrier, key_to_split, count, threshold))
        handed = hand_out(split(key_to_split, count, threshold, entropy), recipients)
        _store(surroundings, barrier, rows, populate)
    except BaseException:
        barrier.seal()
        raise
    finally:
        aead.wipe(key_to_split)
    result = InitResult(unseal=handed) if auto_seal is None else InitResult(recovery=handed)
    return Founding(result, surroundings, barrier)


def mark_founded(store: Store) -> None:
    """Have the place of ``store`` remember that there is a vault, so that nobody can begin another one if the records are lost.

    What does not work now is done at the next start: the vault exists, and its shares must reach their keepers.
    """
    with contextlib.suppress(Unavailable):
        store.mark_founded()


def _check(surroundings: Surroundings, auto_seal: Seal | None, config: InitConfig) -> tuple[Recipient, ...]:
    secret = {
        "secret_shares": config.secret_shares,
        "secret_threshold": config.secret_threshold,
        "pgp_keys": config.pgp_keys,
    }
    recovery = {
        "recovery_shares": config.recovery_shares,
        "recovery_threshold": config.recovery_threshold,
        "recovery_pgp_keys": config.recovery_pgp_keys,
    }
    for is_foreign, fields, kind in (
        (auto_seal is None, recovery, "shamir"),
        (auto_seal is not None, secret, "" if auto_seal is None else auto_seal.type),
    ):
        given = [name for name, value in fields.items() if value]
        if is_foreign and given:
            raise InvalidRequest(f"parameters {','.join(given)} not applicable to seal type {kind}")
    if auto_seal is None:
        shares, threshold, keys = config.secret_shares, config.secret_threshold, config.pgp_keys
    else:
        shares, threshold, keys = config.recovery_shares, config.recovery_threshold, config.recovery_pgp_keys
    check_numbers(shares, threshold)
    check_recipients(keys, shares, "incorrect number of PGP keys")
    return read_recipients(keys, surroundings.clock.now_ns())


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
    puts |= {key: Record(1, value) for key, value in {**rows, UNANNOUNCED_KEY: b""}.items()}
    try:
        # Nothing of a vault may be there, not even the rest of one whose seal was lost.
        failpoints.reach("founding_before_persist")
        surroundings.store.commit({**dict.fromkeys(puts), ROOT_KEY: None}, puts, (), barrier.witness)
        failpoints.reach("founding_after_persist")
    except Conflict:
        raise InvalidRequest("Vault is already initialized") from None


def _clear_unannounced(surroundings: Surroundings) -> None:
    """Delete what an earlier initialization left whose shares nobody was told."""
    with surroundings.store.snapshot() as snapshot:
        rows = read_seal_rows(snapshot)
        if rows is None or not rows.is_unannounced:
            return
        keys = snapshot.keys("", limit=_UNANNOUNCED_RECORDS_MAX + 1)
    if len(keys) > _UNANNOUNCED_RECORDS_MAX:
        raise InvalidRequest(
            "the store says that nobody was told the shares of its vault, but holds more than a new one:"
            " restore it from a backup, or move its folder away to begin anew"
        )
    try:
        surroundings.store.commit({UNANNOUNCED_KEY: rows.versions[UNANNOUNCED_KEY]}, {}, keys)
    except Conflict:
        raise InvalidRequest("Vault is already initialized") from None
