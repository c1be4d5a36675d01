"""``strongroom operator verify-backup``: whether a backup is whole, without keys; and with them, whether it is genuine and can be restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.examination import Examination, Examined
from strongroom.backup.form import Header
from strongroom.backup.reading import Looked, look, read_header
from strongroom.barrier.seals.seal import Seal
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy, SystemClock, SystemEntropy
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.store import StoreError
from strongroom.server.assemble import refuse_forbidden_device
from strongroom.server.config import load_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import SealType, ServerConfig
from strongroom.server.offline_seal import AskShare, StoredSeal, has_key_for, open_seal
from strongroom.system import audit_devices

WHOLE, REFUSED = 0, 1


@dataclass(slots=True)
class Checked:
    """What was found. ``refusal`` says why the backup is none, and is empty where it is good; ``damage`` names the class."""

    looked: Looked | None = None
    is_genuine: bool = False
    refusal: str = ""
    damage: str = ""

    @property
    def exit_code(self) -> int:
        """0 good as far as it was looked, 1 refused."""
        return REFUSED if self.refusal else WHOLE


def run(path: str, config_paths: Sequence[str], ask: AskShare) -> Checked:
    """Look at the backup at ``path``; with a configuration, with the vault's keys too."""
    checked = Checked()
    try:
        with Path(path).open("rb") as file:
            read_header(file)
            file.seek(0)
            checked.looked = look(file)
            if config_paths:
                config = load_config(config_paths)
                root_key, seal = open_backup(config, checked.looked.header, ask, SystemEntropy())
                seal.wipe()
                try:
                    examine(file, config, root_key, SystemClock(), SystemEntropy())
                finally:
                    aead.wipe(root_key)
                checked.is_genuine = True
    except BadBackup as error:
        checked.refusal, checked.damage = str(error), error.damage.value
    except (ConfigError, StoreError, InvalidRequest) as error:
        checked.refusal = str(error)
    except OSError as error:
        checked.refusal = f"the file cannot be read: {(error.strerror or 'unknown reason').lower()}"
    return checked


def open_backup(config: ServerConfig, header: Header, ask: AskShare, entropy: Entropy) -> tuple[bytearray, Seal]:
    """The root key that the backup was made under, and the seal that opened it; the caller wipes both.

    Raises BadBackup, InvalidRequest and Unavailable.
    """
    is_by_hand = header.seal.type == SealType.SHAMIR.value
    if not has_key_for(config, header.seal.type) or (is_by_hand and config.seal.type is not SealType.SHAMIR):
        raise InvalidRequest(
            f"the vault had a {header.seal.type} seal when the backup was made, and the configuration names another; "
            "name that seal for the restore"
        )
    try:
        stored = StoredSeal(header.seal.type, header.seal.threshold, header.seal.root_key)
        seal = open_seal(config, stored, ask, entropy)
        try:
            return seal.unwrap(header.seal.root_key), seal
        except BaseException:
            seal.wipe()
            raise
    except Damaged:
        raise BadBackup(Damage.WRONG_KEY) from None


def examine(file: BinaryIO, config: ServerConfig, root_key: bytearray, clock: Clock, entropy: Entropy) -> Examined:
    """Everything that can be found out before a restore. Raises BadBackup and OSError. ``root_key`` is only read."""
    file.seek(0)
    examined = Examination(root_key, clock, entropy, (audit_devices.AREA,)).run(file)
    for content in examined.kept.values():
        try:
            stored = audit_devices.read_stored(content)
            refuse_forbidden_device(stored, config)
        except msgspec.MsgspecError:
            raise BadBackup(Damage.INCONSISTENT, "an audit device cannot be read") from None
        except InvalidRequest as refusal:
            raise BadBackup(Damage.NOT_ALLOWED, str(refusal)) from None
    return examined
