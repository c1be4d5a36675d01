"""``strongroom operator verify``: what happened to a store, told without a running server, by whoever has its keys.

It changes nothing but where it is told to accept the records as they are. No value is shown; keys of the store are, on the operator's screen.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.barrier.anchor import AnchorFile, BadAnchor, compare
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.seal_rows import SealRows, read_seal_rows
from strongroom.barrier.store_root import Root
from strongroom.barrier.tampering import Finding, Tampering
from strongroom.barrier.unsealing import FORMAT_WITH_ROOT, renew_root
from strongroom.crypto.aead import Damaged
from strongroom.evidence.signature import PublicKey, SigningKey
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.sqlite import has_database
from strongroom.physical.store import Conflict, Store, StoreError, Unavailable
from strongroom.server.assemble import open_store
from strongroom.server.config import load_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import ServerConfig, StorageType
from strongroom.server.offline_seal import AskShare, StoredSeal, has_key_for, open_seal
from strongroom.system import founding
from strongroom.system.integrity import last_root

INTACT, TAMPERED, CANNOT_TELL = 0, 1, 2
_TAIL_BYTES = 4 << 20


@dataclass(slots=True)
class Report:
    """What was found. ``doubts`` are why more cannot be told; ``notes`` are worth knowing."""

    findings: list[Finding] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    records: int = 0
    counter: int = 0

    @property
    def exit_code(self) -> int:
        """0 intact, 1 tampered with, 2 cannot tell."""
        if self.findings:
            return TAMPERED
        return CANNOT_TELL if self.doubts else INTACT

    @property
    def verdict(self) -> str:
        """The same in words."""
        return ("intact", "tampered", "cannot tell")[self.exit_code]


def run(
    config_paths: Sequence[str],
    ask: AskShare,
    *,
    anchor: str = "",
    audit_logs: Sequence[str] = (),
    accept: bool = False,
) -> Report:
    """Look at the store that the configuration names. ``ask`` is called where the seal needs shares."""
    report = Report()
    try:
        config = load_config(config_paths)
        _refuse_absent_database(config)
        store = open_store(config)
    except (ConfigError, StoreError) as error:
        report.doubts.append(str(error))
        return report
    try:
        _Verifier(config, store, report).verify(ask, anchor or config.integrity_anchor, audit_logs, accept=accept)
    except (StoreError, InvalidRequest) as error:
        report.doubts.append(str(error))
    finally:
        store.close()
    return report


def _refuse_absent_database(config: ServerConfig) -> None:
    """Raise Unavailable where there is nothing to look at: opening it would make it, for whoever runs this."""
    if config.storage.type is not StorageType.MEMORY and not has_database(Path(config.storage.path)):
        raise Unavailable(f"there is no database in {config.storage.path}; is its disk mounted?")


class _Verifier:
    def __init__(self, config: ServerConfig, store: Store, report: Report) -> None:
        self._config = config
        self._surroundings = Surroundings(store, SystemClock(), SystemEntropy())
        self._report = report

    def verify(self, ask: AskShare, anchor: str, audit_logs: Sequence[str], *, accept: bool) -> None:
        barrier = self._open(ask)
        if barrier is None:
            return
        try:
            self._look(barrier, anchor, audit_logs, accept=accept)
        finally:
            barrier.seal()

    def _look(self, barrier: Barrier, anchor: str, audit_logs: Sequence[str], *, accept: bool) -> None:
        report = self._report
        if barrier.keyring_format < FORMAT_WITH_ROOT:
            report.doubts.append("the store is of the first format and has no root record; the first unseal makes it")
            return
        inspection = Inspection(barrier, self._surroundings.store)
        for _ in inspection.run():
            pass
        report.findings += inspection.findings
        report.records = inspection.records
        root = inspection.root
        report.counter = root.counter if root is not None else 0
        counters = [report.counter, self._compare_anchor(barrier, root, anchor)]
        counters += self._compare_logs(barrier, root, audit_logs)
        if accept and report.findings:
            self._accept(barrier, max(counters))

    def _open(self, ask: AskShare) -> Barrier | None:
        rows = self._rows()
        if rows is None:
            return None
        try:
            stored = StoredSeal(rows.config.type, rows.config.threshold, rows.root_key)
            seal = open_seal(self._config, stored, ask, self._surroundings.entropy)
            root_key = seal.unwrap(rows.root_key)
        except Damaged:
            self._report.doubts.append("the seal does not open: the keys are wrong, or the seal's rows were edited")
            return None
        try:
            return Barrier.load(self._surroundings, root_key, is_reader=True)
        except Damaged:
            self._report.findings.append(Finding(Tampering.KEYRING_EDITED, "barrier/keyring/0"))
            self._report.doubts.append("without the keyring no record can be opened; restore it from a backup")
            return None

    def _rows(self) -> SealRows | None:
        try:
            with self._surroundings.store.snapshot() as snapshot:
                rows = read_seal_rows(snapshot)
        except Damaged:
            self._report.findings.append(Finding(Tampering.SEAL_EDITED))
            return None
        if rows is None or rows.is_unannounced:
            self._report.doubts.append("the store holds no vault")
            return None
        if not has_key_for(self._config, rows.config.type):
            self._report.doubts.append(
                "the store was initialized with another type of seal than the configuration names"
            )
            return None
        return rows

    def _compare_anchor(self, barrier: Barrier, root: Root | None, path: str) -> int:
        """What the anchor says, and its counter."""
        if not path:
            self._report.notes.append("no anchor is named, so a rollback shows only in the audit log")
            return 0
        tools, file = barrier.witness.tools, AnchorFile(Path(path))
        if root is not None:
            self._report.findings += file.check(root, tools)
        with contextlib.suppress(BadAnchor, OSError):
            anchor = file.read(tools)
            return 0 if anchor is None else anchor.counter
        return 0

    def _compare_logs(self, barrier: Barrier, root: Root | None, paths: Sequence[str]) -> list[int]:
        """What the audit log says, and the counters in it."""
        configured = [
            device.options.get("file_path", "") for device in self._config.audit_devices if device.type == "file"
        ]
        key = self._public_key(barrier)
        counters = []
        for path in paths or [path for path in configured if path]:
            recorded = last_root(tail_of(Path(path)), key) if key is not None else None
            if recorded is None:
                self._report.notes.append(f"{path}: no signed checkpoint in its end says how far the store was")
                continue
            counters.append(recorded[0])
            if root is not None:
                self._report.findings += compare(root, barrier.witness.tools, *recorded, path)
        return counters

    def _public_key(self, barrier: Barrier) -> PublicKey | None:
        with contextlib.suppress(Damaged, LookupError, ValueError), barrier.transaction() as transaction:
            return PublicKey.read(SigningKey(founding.load(transaction).audit_signing_seed).public_pem)
        return None

    def _accept(self, barrier: Barrier, counter: int) -> None:
        try:
            renew_root(barrier, self._surroundings, counter=counter)
        except Conflict:
            self._report.doubts.append("somebody else writes to the store; stop the server first")
            return
        self._report.notes.append("a new root record was written: the records as they are now are taken for right")


def tail_of(path: Path) -> bytes:
    """The last lines of an audit file; empty where it cannot be read, and where something else, such as a pipe, is in its place."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return b""
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES)
    except OSError:
        return b""
