"""The ways into a sealed vault by shares, and the way from one seal to another.

More than one set of shares may open it: right after a rekey those before it count too, until one of the two has. A migration takes the
shares of the seal that is left, and makes them those of the other kind: unseal shares become recovery shares, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.recovery import carried_over, proves, recovery_config
from strongroom.barrier.seal_rows import (
    CONFIG_KEY,
    FORMER_KEY,
    RECOVERY_KEY,
    ROOT_KEY_KEY,
    FormerShares,
    RecoveryConfig,
    RowChanges,
    SealConfig,
    SealRows,
    encode_row,
)
from strongroom.barrier.seals import shamir as shamir_seal
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.unsealing import open_barrier
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy


@dataclass(frozen=True, slots=True)
class Way:
    """``threshold`` shares whose key ``open`` takes. It raises Damaged where they are not the right ones, and TamperedStore."""

    shares: int
    threshold: int
    is_former: bool
    open: Callable[[bytearray], Barrier]


def is_migrating(rows: SealRows, present: Seal | None, leaving: Seal | None) -> bool:
    """Whether the stored seal is another than the configured ones say it should be: ``present`` (None: shares), ``leaving`` disabled."""
    if rows.config.type == shamir_seal.TYPE:
        return present is not None
    if leaving is None:
        return False
    return present is None or (leaving.knows(rows.root_key) and not present.knows(rows.root_key))


def ways_in(surroundings: Surroundings, rows: SealRows, leaving: Seal | None) -> list[Way]:
    """Every set of shares that opens the vault, the newest first. ``leaving`` is the seal that unseals by itself and is to go."""
    if rows.config.type == shamir_seal.TYPE:
        sets = [(rows.config.shares, rows.config.threshold, rows.root_key, False)]
        if (former := rows.former_unseal) is not None:
            sets.append((former.shares, former.threshold, former.root_key, True))
        return [
            Way(shares, threshold, is_former, _by_unseal_key(surroundings, blob))
            for shares, threshold, blob, is_former in sets
        ]
    if leaving is None:
        return []
    return [
        Way(row.shares, row.threshold, is_former, _by_recovery_key(surroundings, rows.root_key, leaving, row))
        for row, is_former in ((rows.recovery, False), (rows.former_recovery, True))
        if row is not None
    ]


def migrated(
    barrier: Barrier, way: Way, key: bytearray, target: Seal | None, entropy: Entropy
) -> Callable[[SealRows, bytearray], RowChanges]:
    """The rows under ``target`` (None: shares), whose shares are those that gave ``key``."""

    def change(rows: SealRows, root_key: bytearray) -> RowChanges:
        if target is None:
            config = SealConfig(shamir_seal.TYPE, way.shares, way.threshold)
            wrapped, recovery = ShamirSeal(key, entropy).wrap(root_key), None
        else:
            config = SealConfig(target.type, 0, 0)
            wrapped = target.wrap(root_key)
            recovery = encode_row(recovery_config(barrier, key, way.shares, way.threshold))
        del rows
        return {CONFIG_KEY: encode_row(config), ROOT_KEY_KEY: wrapped, RECOVERY_KEY: recovery, FORMER_KEY: None}

    return change


def rewrapped(
    barrier: Barrier, seal: Seal, former: Seal | None, entropy: Entropy
) -> Callable[[SealRows, bytearray], RowChanges]:
    """The rows for another root key, where nothing else changes. ``former`` opens it too, while its unseal shares still count."""

    def change(rows: SealRows, root_key: bytearray) -> RowChanges:
        changed: dict[str, bytes | None] = {ROOT_KEY_KEY: seal.wrap(root_key)}
        if rows.recovery is not None:
            changed[RECOVERY_KEY] = encode_row(carried_over(barrier, rows.recovery, entropy))
        if (kept := rows.former_unseal) is not None:
            wrapped = None if former is None else former.wrap(root_key)
            changed[FORMER_KEY] = wrapped and encode_row(FormerShares(kept.shares, kept.threshold, root_key=wrapped))
        return changed

    return change


def _by_unseal_key(surroundings: Surroundings, blob: bytes) -> Callable[[bytearray], Barrier]:
    def open_it(key: bytearray) -> Barrier:
        # What unwraps is the root key: whatever does not open under it was changed.
        return open_barrier(surroundings, ShamirSeal(key, surroundings.entropy).unwrap(blob))

    return open_it


def _by_recovery_key(
    surroundings: Surroundings, blob: bytes, leaving: Seal, row: RecoveryConfig
) -> Callable[[bytearray], Barrier]:
    def open_it(key: bytearray) -> Barrier:
        barrier = open_barrier(surroundings, leaving.unwrap(blob))
        is_right = False
        try:
            is_right = proves(barrier, key, row)
        finally:
            if not is_right:
                barrier.seal()
        if not is_right:
            raise Damaged
        return barrier

    return open_it
