"""The few rows of the store that are not encrypted, because they are needed to become able to decrypt: the seal's.

``seal/config`` says which seal, and how many shares; ``seal/root-key`` holds the wrapped root key; ``seal/recovery`` says how many
recovery shares there are, with a keyed verifier of the recovery key. ``seal/former`` is there while it is not certain that new shares
reached their keepers: the shares before them still count. ``seal/unannounced`` is there while nobody was told the shares of a new vault.
None of them is a secret, and none is believed: a changed number of shares or a changed blob only makes an unseal fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Record, Snapshot

CONFIG_KEY = "seal/config"
ROOT_KEY_KEY = "seal/root-key"
RECOVERY_KEY = "seal/recovery"
FORMER_KEY = "seal/former"
UNANNOUNCED_KEY = "seal/unannounced"
ROW_KEYS = (CONFIG_KEY, ROOT_KEY_KEY, RECOVERY_KEY, FORMER_KEY, UNANNOUNCED_KEY)
CONFIG_FORMAT = 1
RECOVERY_FORMAT = 2
FORMER_FORMAT = 1
_T = TypeVar("_T", bound=msgspec.Struct)


class SealConfig(msgspec.Struct, frozen=True):
    """Which seal the vault was initialized with. ``shares`` and ``threshold`` are 0 where the seal has no unseal shares."""

    type: str
    shares: int
    threshold: int
    format: int = CONFIG_FORMAT


class RecoveryConfig(msgspec.Struct, frozen=True):
    """How many recovery shares there are. ``verifier`` is the recovery key's HMAC.

    In format 1 its key is derived from the root key. In format 2 it outlives root keys: derived from the keyring's first term where
    ``key`` is empty, and else sealed in ``key``, which is how a verifier of the first format is carried over.
    """

    shares: int
    threshold: int
    verifier: bytes
    format: int = RECOVERY_FORMAT
    key: bytes = b""


class FormerShares(msgspec.Struct, frozen=True):
    """The shares that a rekey took the place of, while they still count.

    One of two is set: ``root_key``, the root key as they open it, for unseal shares; ``recovery`` for recovery shares.
    """

    shares: int
    threshold: int
    root_key: bytes = b""
    recovery: RecoveryConfig | None = None
    format: int = FORMER_FORMAT


Row = SealConfig | RecoveryConfig | FormerShares
RowChanges = Mapping[str, bytes | None]
"""Rows of the seal as they shall be; None for one that goes."""


@dataclass(frozen=True, slots=True)
class SealRows:
    """The rows with the versions that they were read at (None: absent)."""

    config: SealConfig
    root_key: bytes
    recovery: RecoveryConfig | None
    versions: dict[str, int | None]
    former: FormerShares | None = None
    is_unannounced: bool = False

    def put(self, changed: Mapping[str, bytes]) -> dict[str, Record]:
        """Records for the rows in ``changed``, each with another version than it has."""
        return {key: Record((self.versions[key] or 0) + 1, value) for key, value in changed.items()}

    def settled(self, *, by_former: bool) -> SealRows:
        """The rows once one of two sets of shares was used: the other one does not count any more."""
        former = self.former
        if former is None or not by_former:
            return replace(self, former=None)
        if former.recovery is not None:
            return replace(self, recovery=former.recovery, former=None)
        config = SealConfig(self.config.type, former.shares, former.threshold)
        return replace(self, config=config, root_key=former.root_key, former=None)

    def changes_to(self, wanted: SealRows) -> RowChanges:
        """What has to be stored to come from these rows to ``wanted``."""
        return {key: value for key, value in wanted._contents().items() if value != self._contents()[key]}

    def _contents(self) -> dict[str, bytes | None]:
        return {
            CONFIG_KEY: encode_row(self.config),
            ROOT_KEY_KEY: self.root_key,
            RECOVERY_KEY: None if self.recovery is None else encode_row(self.recovery),
            FORMER_KEY: None if self.former is None else encode_row(self.former),
        }

    @property
    def former_unseal(self) -> FormerShares | None:
        """The unseal shares that still count beside the present ones."""
        return self.former if self.former is not None and self.former.recovery is None else None

    @property
    def former_recovery(self) -> RecoveryConfig | None:
        """The recovery shares that still count beside the present ones."""
        return self.former.recovery if self.former is not None else None


def read_seal_rows(snapshot: Snapshot) -> SealRows | None:
    """The rows, or None where the vault is not initialized. Raises Damaged where they are unreadable."""
    records = {key: snapshot.get(key) for key in ROW_KEYS}
    config, root_key = records[CONFIG_KEY], records[ROOT_KEY_KEY]
    if config is None:
        return None
    if root_key is None:
        raise Damaged
    rows = SealRows(
        _decoded(config, SealConfig),
        root_key.value,
        _optional(records[RECOVERY_KEY], RecoveryConfig),
        {key: record.version if record else None for key, record in records.items()},
        _optional(records[FORMER_KEY], FormerShares),
        records[UNANNOUNCED_KEY] is not None,
    )
    if not _is_readable(rows):
        raise Damaged
    return rows


def encode_row(row: Row) -> bytes:
    """``row`` as it is stored."""
    return msgspec.json.encode(row)


def _is_readable(rows: SealRows) -> bool:
    recoveries = [one for one in (rows.recovery, rows.former_recovery) if one is not None]
    thresholds = [rows.config.threshold, *(one.threshold for one in recoveries)]
    formats = [
        rows.config.format <= CONFIG_FORMAT,
        rows.former is None or rows.former.format <= FORMER_FORMAT,
        *(one.format <= RECOVERY_FORMAT for one in recoveries),
    ]
    if rows.former is not None:
        thresholds.append(rows.former.threshold)
    return all(formats) and min(thresholds) >= 0


def _decoded(record: Record, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(record.value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Damaged from None


def _optional(record: Record | None, kind: type[_T]) -> _T | None:
    return None if record is None else _decoded(record, kind)
