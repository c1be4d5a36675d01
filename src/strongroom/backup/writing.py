"""Writing a backup of an open vault, from one snapshot of its store, while others go on writing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import strongroom
from strongroom import failpoints
from strongroom.backup.chunks import ChunkCipher
from strongroom.backup.form import (
    CHUNK_BYTES,
    SALT_BYTES,
    AuditHead,
    FrameWriter,
    Header,
    Kind,
    Manifest,
    SealOfBackup,
    encode_manifest,
)
from strongroom.backup.rows import encode_row
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.keyring import KEYRING_ROOT, keyring_key, open_keyring
from strongroom.barrier.seal_rows import read_seal_rows
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.instant import rfc3339
from strongroom.physical.store import DATA_FORMAT, Snapshot, Unavailable

_ID_BYTES = 16
_UNREADABLE = "the vault's keys in the store are not the ones that are in use; seal and unseal it, then try again"


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was written: its two clear parts, its size in bytes, and its SHA-256 (hexadecimal)."""

    header: Header
    manifest: Manifest
    size: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Task:
    """What to back up: an open vault. ``vault`` is its id.

    ``audit_heads`` is asked once the moment of the backup is fixed; ``pace`` is called after each chunk, and may wait, or raise to give up.
    """

    barrier: Barrier
    surroundings: Surroundings
    vault: str
    audit_heads: Callable[[], Mapping[str, AuditHead]] = dict
    pace: Callable[[], None] = field(default=lambda: None)


def write_backup(task: Task, sink: Callable[[bytes], object]) -> Written:
    """Write everything that the store holds at this moment to ``sink``.

    Raises Sealed, Unavailable where the store cannot be read, and what ``sink`` and ``pace`` raise.
    """
    root_key = task.barrier.copy_root_key()
    try:
        with task.surroundings.store.snapshot() as snapshot:
            header = _header(task, snapshot, root_key)
            audit = dict(task.audit_heads())
            frames = FrameWriter(sink, header)
            cipher = ChunkCipher(root_key, header.salt, frames.link)
            aead.wipe(root_key)
            manifest = _Chunks(frames, cipher, task.pace).write_all(snapshot, header.id, audit)
    finally:
        aead.wipe(root_key)
    return Written(header, manifest, frames.written, frames.checksum)


def _header(task: Task, snapshot: Snapshot, root_key: bytearray) -> Header:
    tools, entropy = task.barrier.witness.tools, task.surroundings.entropy
    record = snapshot.get(ROOT_KEY)
    try:
        # The root key could have been exchanged a moment ago: what is written must open with what stands beside it.
        open_keyring(root_key, KEYRING_ROOT, snapshot.get(keyring_key(KEYRING_ROOT))).wipe()
        rows = read_seal_rows(snapshot)
        root = None if record is None else tools.cipher.open(record)
    except Damaged:
        raise Unavailable(_UNREADABLE) from None
    if rows is None or root is None:
        raise Unavailable(_UNREADABLE)
    return Header(
        id=aead.draw(_ID_BYTES, entropy).hex(),
        vault=task.vault,
        time=rfc3339(task.surroundings.clock.now_ns()),
        product=strongroom.__version__,
        data_format=DATA_FORMAT,
        counter=root.counter,
        proof=tools.proof(root),
        seal=SealOfBackup(rows.config.type, rows.config.threshold, rows.root_key),
        salt=aead.draw(SALT_BYTES, entropy),
    )


class _Chunks:
    """Cuts the rows into chunks. Holds one chunk and one row at a time."""

    def __init__(self, frames: FrameWriter, cipher: ChunkCipher, pace: Callable[[], None]) -> None:
        self._frames = frames
        self._cipher = cipher
        self._pace = pace
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._bytes = self._number = 0

    def write_all(self, snapshot: Snapshot, backup_id: str, audit: dict[str, AuditHead]) -> Manifest:
        """Every row of the snapshot, then the manifest."""
        records = 0
        for key, record in snapshot.entries():
            self._add(encode_row(key, record))
            records += 1
        self._write(Kind.LAST_CHUNK, bytes(self._waiting))
        manifest = Manifest(
            id=backup_id,
            records=records,
            bytes=self._bytes,
            chunks=self._number,
            digest=self._digest.hexdigest(),
            audit=audit,
        )
        self._frames.frame(Kind.MANIFEST, self._cipher.sign(self._number, encode_manifest(manifest)))
        return manifest

    def _add(self, row: bytes) -> None:
        self._waiting += row
        # What fills a chunk exactly waits: it may be the last one, which must be told apart.
        while len(self._waiting) > CHUNK_BYTES:
            self._write(Kind.CHUNK, bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]
            self._pace()

    def _write(self, kind: Kind, content: bytes) -> None:
        self._digest.update(content)
        self._bytes += len(content)
        self._frames.frame(kind, self._cipher.seal(self._number, kind, content))
        self._number += 1
        failpoints.reach("backup_after_pages")
