"""``strongroom operator restore``: from a backup to the data folder of a server that is stopped.

The whole backup is examined with the vault's keys before anything is written; then a database is built beside the place where it belongs,
inspected like any other store, made the vault's newest state, and moved in.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.examination import Examined
from strongroom.backup.reading import KeyedReader, look, read_header
from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.restoration import inspected, take_over
from strongroom.barrier.seals.seal import Seal
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import rfc3339
from strongroom.physical.sqlite import Replacement, has_database, hold_folder, present_store
from strongroom.physical.store import Record, Store, StoreError
from strongroom.server.backup_check import examine, open_backup
from strongroom.server.config import load_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import ServerConfig, StorageType
from strongroom.server.offline_seal import AskShare
from strongroom.server.restored_vault import Known, Settlement, counters_outside, known_from
from strongroom.system.restored import RestoreNote

RESTORED, REFUSED = 0, 1
_BATCH_ROWS = 4096
_BATCH_BYTES = 8 << 20
_NOT_KNOWN = (
    "which tokens were revoked since the backup stands in the data that is there, and the backup's keys do not open it (shares or the seal's "
    "key were changed since, or it is damaged); restore without -keep-tokens, or move that data away first: then tokens that were revoked "
    "since are valid again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the operator asked for. ``force`` puts the data that is there aside; ``keep_tokens`` lets tokens live on."""

    force: bool = False
    keep_tokens: bool = False
    anchor: str = ""
    audit_logs: tuple[str, ...] = ()


@dataclass(slots=True)
class Restored:
    """What came of it. ``refusal`` says why nothing was restored; ``aside`` is where the data lies that was there before."""

    backup: str = ""
    time: str = ""
    vault: str = ""
    records: int = 0
    tokens: str = ""
    aside: str = ""
    notes: list[str] = field(default_factory=list)
    refusal: str = ""
    damage: str = ""

    @property
    def exit_code(self) -> int:
        """0 restored, 1 refused."""
        return REFUSED if self.refusal else RESTORED


def run(path: str, config_paths: Sequence[str], ask: AskShare, wishes: Wishes | None = None) -> Restored:
    """Restore the backup at ``path`` to where the configuration has its store. Nothing is changed where it is refused."""
    restored = Restored()
    try:
        config = load_config(config_paths)
        with Path(path).open("rb") as file:
            _Restore(config, wishes or Wishes(), restored).run(file, ask)
    except BadBackup as error:
        restored.refusal, restored.damage = str(error), error.damage.value
    except (ConfigError, StoreError, InvalidRequest) as error:
        restored.refusal = str(error)
    except Damaged:
        restored.refusal = "what was restored does not open; nothing was changed"
    except OSError as error:
        restored.refusal = (
            f"reading or writing failed: {(error.strerror or 'unknown reason').lower()}; nothing was restored, and a vault that was"
            " there is where it was, or in a folder replaced-… beside it"
        )
    return restored


class _Restore:
    def __init__(self, config: ServerConfig, wishes: Wishes, restored: Restored) -> None:
        self._config = config
        self._wishes = wishes
        self._restored = restored
        self._clock = SystemClock()
        self._entropy = SystemEntropy()
        self._folder = Path(config.storage.path)

    def run(self, file: BinaryIO, ask: AskShare) -> None:
        if self._config.storage.type is StorageType.MEMORY:
            raise InvalidRequest('the configuration keeps everything in memory; restore to storage "sqlite"')
        header = read_header(file)
        file.seek(0)
        looked = look(file)
        self._restored.backup, self._restored.time, self._restored.vault = header.id, header.time, header.vault
        self._restored.records = looked.manifest.records
        with contextlib.ExitStack() as stack:
            if self._folder.exists():
                self._hold(stack)
                self._refuse_full_folder()
            root_key, seal = open_backup(self._config, header, ask, self._entropy)
            stack.callback(seal.wipe)
            stack.callback(aead.wipe, root_key)
            examined = examine(file, self._config, root_key, self._clock, self._entropy)
            if not self._folder.exists():
                self._hold(stack)
            self._restore(file, examined, root_key, seal)

    def _hold(self, stack: contextlib.ExitStack) -> None:
        """Hold the folder, so that no server opens it meanwhile. Makes it where it is missing."""
        stack.callback(hold_folder(self._folder).release)

    def _refuse_full_folder(self) -> None:
        if self._wishes.force or not has_database(self._folder):
            return
        with present_store(self._folder) as store:
            # What a server leaves that was started and never initialized.
            if store is not None and _is_empty(store):
                return
        raise InvalidRequest(
            "the data folder holds a vault already; restore to an empty folder, or use -force, which keeps the old data aside"
        )

    def _restore(self, file: BinaryIO, examined: Examined, root_key: bytearray, seal: Seal) -> None:
        replacement = Replacement(self._folder)
        try:
            _load(file, root_key, replacement.store, examined)
            surroundings = Surroundings(replacement.store, self._clock, self._entropy)
            _refuse_tampered(surroundings, root_key)
            with present_store(self._folder) as old:
                known = known_from(old, root_key, seal, examined.header.vault, surroundings)
                if known.is_unreadable or (old is None and has_database(self._folder)):
                    self._go_on_without_what_was_there()
                self._finish(surroundings, examined, root_key, known)
            mark = f"{rfc3339(self._clock.now_ns())[:19].replace(':', '')}Z-{examined.header.id[:8]}"
            aside = replacement.install(mark)
        except BaseException:
            replacement.store.close()
            replacement.discard()
            raise
        self._restored.aside = str(aside) if aside is not None else ""

    def _go_on_without_what_was_there(self) -> None:
        if self._wishes.keep_tokens:
            raise InvalidRequest(_NOT_KNOWN)
        self._restored.notes.append("the data that was there before could not be read, so nothing is known of it")

    def _finish(self, surroundings: Surroundings, examined: Examined, root_key: bytearray, known: Known) -> None:
        anchor = self._wishes.anchor or self._config.integrity_anchor
        logs = self._wishes.audit_logs or _audit_files(self._config)
        seen = counters_outside(surroundings, root_key, anchor, logs)
        barrier = take_over(
            surroundings,
            root_key,
            transactions=max(examined.header.counter, known.transactions, seen),
            encryptions=known.encryptions,
        )
        try:
            note = RestoreNote(
                backup=examined.header.id,
                backup_time=examined.header.time,
                restored_time=rfc3339(self._clock.now_ns()),
                by=_who(),
                counter_of_backup=examined.header.counter,
                counter=barrier.root_counter(),
                tokens="kept" if self._wishes.keep_tokens else "invalidated",
            )
            settlement = Settlement(barrier, self._clock, self._entropy)
            self._restored.tokens = settlement.settle(note, known, keep_tokens=self._wishes.keep_tokens)
        finally:
            barrier.seal()


def _load(file: BinaryIO, root_key: bytearray, store: Store, examined: Examined) -> None:
    """All rows, authenticated once more on the way: the file could have been exchanged since it was examined."""
    file.seek(0)
    reader = KeyedReader(file, root_key)
    for batch in _batches(reader.rows()):
        store.commit({}, batch, ())
    if reader.checksum != examined.checksum:
        raise BadBackup(Damage.CHANGED, "while it was read")


def _refuse_tampered(surroundings: Surroundings, root_key: bytearray) -> None:
    """What was written must be what was examined: the disk is looked at like that of any other store."""
    if findings := inspected(surroundings, root_key):
        raise BadBackup(Damage.INCONSISTENT, findings[0].sentence)


def _batches(rows: Iterator[tuple[str, Record]]) -> Iterator[dict[str, Record]]:
    batch: dict[str, Record] = {}
    size = 0
    for key, record in rows:
        batch[key] = record
        size += len(record.value)
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def _is_empty(store: Store) -> bool:
    with store.snapshot() as snapshot:
        return not snapshot.keys("", limit=1)


def _audit_files(config: ServerConfig) -> tuple[str, ...]:
    paths = (device.options.get("file_path", "") for device in config.audit_devices if device.type == "file")
    return tuple(path for path in paths if path)


def _who() -> str:
    """The account that runs this, as far as the system knows."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = ""
    return f"{name or 'unknown'} (uid {number}) on {socket.gethostname()}"
