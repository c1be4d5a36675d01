"""The examination of a backup with the vault's keys, before anything is done with it: everything that can be wrong is found here.

Each chunk must be genuine, each record open at its place, the rows beside the records be those that the root record pins, and the sum of all
records the one in it. Nothing is written anywhere; of the records only those of a few areas are kept, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.form import Header, Manifest
from strongroom.backup.reading import KeyedReader
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.store_root import ROOT_KEY, parse_pins
from strongroom.barrier.tampering import TamperedStore
from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.barrier.unsealing import FORMAT_WITH_ROOT, glance
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Record

_CUT = len(TENANT_PREFIX)
_KEPT_MAX = 10_000
_STEP = 256


@dataclass(frozen=True, slots=True)
class Examined:
    """A backup that is genuine, whole and consistent. ``kept`` is what its records of the areas of interest hold, by key."""

    header: Header
    manifest: Manifest
    checksum: str
    kept: dict[str, bytes]


class Examination:
    """One pass over a backup. ``areas`` are prefixes of the keys whose content is wanted; ``root_key`` is only read."""

    def __init__(self, root_key: bytearray, clock: Clock, entropy: Entropy, areas: tuple[str, ...] = ()) -> None:
        self._root_key = root_key
        self._surroundings = Surroundings(MemoryStore(), clock, entropy)
        self._areas = areas
        self._barrier: Barrier | None = None
        self._names: list[tuple[str, int]] = []
        self._beside: set[str] = set()
        self._kept: dict[str, bytes] = {}
        self._records = self._total = 0

    def run(self, file: BinaryIO) -> Examined:
        """Look at all of it. Raises BadBackup and OSError."""
        reader = KeyedReader(file, self._root_key)
        try:
            for key, record in reader.rows():
                if key.startswith(TENANT_PREFIX):
                    self._look_at(key, record)
                else:
                    self._put_beside(key, record)
            if reader.manifest is None:
                raise BadBackup(Damage.TRUNCATED)
            self._balance(reader.header)
        finally:
            if self._barrier is not None:
                self._barrier.seal()
        return Examined(reader.header, reader.manifest, reader.checksum, self._kept)

    def _put_beside(self, key: str, record: Record) -> None:
        # The rows beside the records are few, whatever the size of the store.
        if len(self._beside) >= _KEPT_MAX:
            raise BadBackup(Damage.INCONSISTENT, "there are too many rows beside the records")
        self._beside.add(key)
        self._surroundings.store.commit({}, {key: record}, ())

    def _look_at(self, key: str, record: Record) -> None:
        barrier = self._opened()
        try:
            content = barrier.open_record(key[_CUT:], record)
        except Damaged:
            raise BadBackup(Damage.INCONSISTENT, "a record does not open") from None
        self._records += 1
        self._names.append((key, record.version))
        if len(self._names) >= _STEP:
            self._fold(barrier)
        if key[_CUT:].startswith(self._areas) and self._areas:
            if len(self._kept) >= _KEPT_MAX:
                raise BadBackup(Damage.INCONSISTENT, "there are too many records of one kind")
            self._kept[key[_CUT:]] = content

    def _opened(self) -> Barrier:
        """The barrier over the rows that came so far. Those of the keyring come before the first record."""
        if self._barrier is None:
            try:
                self._barrier = Barrier.load(self._surroundings, bytearray(self._root_key), is_reader=True)
            except (Damaged, TamperedStore):
                raise BadBackup(Damage.INCONSISTENT, "the keyring does not open") from None
        return self._barrier

    def _fold(self, barrier: Barrier) -> None:
        self._total = barrier.witness.tools.elements.fold(self._total, self._names)
        self._names.clear()

    def _balance(self, header: Header) -> None:
        barrier = self._opened()
        self._fold(barrier)
        with self._surroundings.store.snapshot() as snapshot:
            findings = glance(barrier, snapshot)
            record = snapshot.get(ROOT_KEY)
        if barrier.keyring_format < FORMAT_WITH_ROOT or findings or record is None:
            raise BadBackup(Damage.INCONSISTENT, "; ".join(finding.sentence for finding in findings))
        tools = barrier.witness.tools
        root = tools.cipher.open(record)
        is_whole = (root.records, root.total) == (self._records, self._total)
        is_pinned = self._beside - {ROOT_KEY} == parse_pins(root.pins).keys()
        if not (is_whole and is_pinned and (root.counter, tools.proof(root)) == (header.counter, header.proof)):
            raise BadBackup(Damage.INCONSISTENT, f"{self._records} records, and {root.records} by the root record")
