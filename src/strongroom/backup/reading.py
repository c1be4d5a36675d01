"""Reading a backup: as anybody can, who sees whether it is whole; and with the vault's keys, which alone prove that it is genuine."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from strongroom.backup.chunks import ChunkCipher
from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.form import TAG_BYTES, FrameReader, Header, Kind, Manifest, decode_manifest
from strongroom.backup.rows import RowReader
from strongroom.physical.store import DATA_FORMAT, Record


@dataclass(frozen=True, slots=True)
class Looked:
    """What can be told of a whole backup without keys."""

    header: Header
    manifest: Manifest
    size: int
    checksum: str


def look(file: BinaryIO) -> Looked:
    """Read the backup from its beginning to its end. Raises BadBackup where it is not whole, and OSError."""
    reader = FrameReader(file)
    chunks, manifest = 0, None
    for frame in reader.frames():
        if frame.kind is Kind.MANIFEST:
            manifest = decode_manifest(frame.content[:-TAG_BYTES])
        else:
            chunks += 1
    if manifest is None or manifest.chunks != chunks or manifest.id != reader.header.id:
        raise BadBackup(Damage.CHANGED, "the manifest is of another backup")
    return Looked(reader.header, manifest, reader.read, reader.checksum)


def read_header(file: BinaryIO) -> Header:
    """The header alone. Raises BadBackup, also where the backup holds data that only a newer server understands, and OSError."""
    header = FrameReader(file).header
    if header.data_format > DATA_FORMAT:
        raise BadBackup(Damage.NEWER_DATA)
    return header


class KeyedReader:
    """The rows of a backup, each piece authenticated before anything in it is looked at. Raises BadBackup and OSError.

    ``root_key`` is only read. ``manifest`` and ``checksum`` are there once all rows were taken; before that nobody knows whether the
    backup is whole.
    """

    def __init__(self, file: BinaryIO, root_key: bytearray) -> None:
        self._reader = FrameReader(file)
        self.header = self._reader.header
        self._cipher = ChunkCipher(root_key, self.header.salt, self._reader.opening_digest)
        self.manifest: Manifest | None = None

    @property
    def checksum(self) -> str:
        """The checksum of what was read so far."""
        return self._reader.checksum

    def rows(self) -> Iterator[tuple[str, Record]]:
        """Every row, in the order of the keys."""
        rows, digest = RowReader(), hashlib.sha256()
        records = size = 0
        for frame in self._reader.frames():
            if frame.kind is Kind.MANIFEST:
                self._cipher.check_manifest(frame)
                manifest = decode_manifest(frame.content[:-TAG_BYTES])
                read = (self.header.id, records, size, frame.number)
                is_whole = hmac.compare_digest(digest.hexdigest().encode(), manifest.digest.encode())
                if not is_whole or (manifest.id, manifest.records, manifest.bytes, manifest.chunks) != read:
                    raise BadBackup(Damage.INCONSISTENT, "the manifest does not fit")
                self.manifest = manifest
                continue
            content = self._cipher.open(frame)
            digest.update(content)
            size += len(content)
            for row in rows.feed(content):
                records += 1
                yield row
            if frame.kind is Kind.LAST_CHUNK:
                rows.end()
