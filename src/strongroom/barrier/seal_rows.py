"""The few rows of the store that are not encrypted, because they are needed to become able to decrypt: the seal's.

``seal/config`` says which seal, and how many shares; ``seal/root-key`` holds the wrapped root key; ``seal/recovery`` says how many
recovery shares there are, with a keyed verifier of the recovery key. None of them is a secret, and none is believed: a changed
number of shares or a changed blob only makes an unseal fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Record, Snapshot

CONFIG_KEY = "seal/config"
ROOT_KEY_KEY = "seal/root-key"
RECOVERY_KEY = "seal/recovery"
FORMAT_VERSION = 1


class SealConfig(msgspec.Struct, frozen=True):
    """Which seal the vault was initialized with. ``shares`` and ``threshold`` are 0 where the seal has no unseal shares."""

    type: str
    shares: int
    threshold: int
    format: int = FORMAT_VERSION


class RecoveryConfig(msgspec.Struct, frozen=True):
    """How many recovery shares there are. ``verifier`` is the recovery key's HMAC under a key derived from the root key."""

    shares: int
    threshold: int
    verifier: bytes
    format: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class SealRows:
    """The rows with the versions that they were read at (None: absent)."""

    config: SealConfig
    root_key: bytes
    recovery: RecoveryConfig | None
    versions: dict[str, int | None]

    def put(self, changed: dict[str, bytes]) -> dict[str, Record]:
        """Records for the rows in ``changed``, each with a version that it never had."""
        return {key: Record((self.versions[key] or 0) + 1, value) for key, value in changed.items()}

    def encoded(self) -> dict[str, bytes]:
        """The rows as they are stored; those that are absent are left out."""
        rows = {CONFIG_KEY: encode_row(self.config), ROOT_KEY_KEY: self.root_key}
        return rows if self.recovery is None else rows | {RECOVERY_KEY: encode_row(self.recovery)}


def read_seal_rows(snapshot: Snapshot) -> SealRows | None:
    """The rows, or None where the vault is not initialized. Raises Damaged where they are unreadable."""
    records = {key: snapshot.get(key) for key in (CONFIG_KEY, ROOT_KEY_KEY, RECOVERY_KEY)}
    config, root_key, recovery = records[CONFIG_KEY], records[ROOT_KEY_KEY], records[RECOVERY_KEY]
    if config is None:
        return None
    if root_key is None:
        raise Damaged
    try:
        rows = SealRows(
            msgspec.json.decode(config.value, type=SealConfig),
            root_key.value,
            msgspec.json.decode(recovery.value, type=RecoveryConfig) if recovery else None,
            {key: record.version if record else None for key, record in records.items()},
        )
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Damaged from None
    newest = max(rows.config.format, rows.recovery.format if rows.recovery else 0)
    if newest > FORMAT_VERSION or rows.config.threshold < 0:
        raise Damaged
    return rows


def encode_row(row: SealConfig | RecoveryConfig) -> bytes:
    """``row`` as it is stored."""
    return msgspec.json.encode(row)
