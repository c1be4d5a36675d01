"""Vaults whose backups are made, taken apart, put together wrongly, and restored."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reliability.lab import Lab
from strongroom.backup.chunks import ChunkCipher
from strongroom.backup.form import (
    CHUNK_BYTES,
    Frame,
    FrameReader,
    FrameWriter,
    Header,
    Kind,
    Manifest,
    encode_manifest,
)
from strongroom.backup.reading import KeyedReader
from strongroom.backup.rows import encode_row
from strongroom.backup.writing import write_backup
from strongroom.crypto import aead
from strongroom.physical.store import Record
from strongroom.server.restore import Restored, Wishes, run
from strongroom.system.backups import task_of

CONFIGURATION = """
storage "sqlite" {{ path = "{folder}/data" }}
listener "tcp" {{ tls_disable = true }}
{more}
"""
Rows = list[tuple[str, Record]]


@dataclass(frozen=True)
class Parts:
    """A backup taken apart: its header and its frames."""

    header: Header
    frames: tuple[Frame, ...]

    @classmethod
    def of(cls, content: bytes) -> Parts:
        """Those of a good backup."""
        reader = FrameReader(io.BytesIO(content))
        return cls(reader.header, tuple(reader.frames()))

    def joined(self) -> bytes:
        """A file with these parts, all of whose checksums fit: what somebody makes who knows the format and has no key."""
        content = bytearray()
        writer = FrameWriter(content.extend, self.header)
        for frame in self.frames:
            writer.frame(frame.kind, frame.content)
        return bytes(content)


class Origin:
    """A vault whose backups are made in ``folder``. ``unseal_key`` opens it."""

    def __init__(self, folder: Path, more: str = "", *, secrets: int = 8, secret_bytes: int = 100_000) -> None:
        folder.mkdir(mode=0o700, parents=True)
        self.lab = Lab(folder, more=more)
        self.token, self.unseal_key = self.lab.initialize()
        self.lab.node.submit_unseal_share(self.unseal_key)
        self.must("POST", "sys/mounts/kv", {"type": "kv"})
        for number in range(secrets):
            self.must("POST", f"kv/s{number}", {"value": f"{number} " * (secret_bytes // 2)})

    def must(self, method: str, path: str, body: object = None) -> Mapping[str, object]:
        """A request with the root token, which has to succeed."""
        return self.lab.must(method, path, body, self.token)

    def backup(self) -> bytes:
        """A backup of it as it is now."""
        content = bytearray()
        node = self.lab.node
        write_backup(task_of(node.require(), node.lifecycle.surroundings, lambda: None), content.extend)
        return bytes(content)

    def rows(self, content: bytes) -> Rows:
        """What a backup of it holds."""
        root_key = self.lab.node.require().barrier.copy_root_key()
        try:
            return list(KeyedReader(io.BytesIO(content), root_key).rows())
        finally:
            aead.wipe(root_key)

    def keyed(self, header: Header, rows: Iterable[tuple[str, Record]] | bytes) -> bytes:
        """A genuine backup with other content: what somebody makes who has the vault's keys."""
        root_key = self.lab.node.require().barrier.copy_root_key()
        stream = rows if isinstance(rows, bytes) else b"".join(encode_row(key, record) for key, record in rows)
        content = bytearray()
        writer = FrameWriter(content.extend, header)
        cipher = ChunkCipher(root_key, header.salt, writer.link)
        aead.wipe(root_key)
        pieces = [stream[at : at + CHUNK_BYTES] for at in range(0, len(stream), CHUNK_BYTES)] or [b""]
        for number, piece in enumerate(pieces):
            kind = Kind.LAST_CHUNK if number == len(pieces) - 1 else Kind.CHUNK
            writer.frame(kind, cipher.seal(number, kind, piece))
        manifest = Manifest(
            id=header.id,
            records=0 if isinstance(rows, bytes) else len(list(rows)),
            bytes=len(stream),
            chunks=len(pieces),
            digest=hashlib.sha256(stream).hexdigest(),
        )
        writer.frame(Kind.MANIFEST, cipher.sign(len(pieces), encode_manifest(manifest)))
        return bytes(content)

    def close(self) -> None:
        """End it."""
        self.lab.close()


class Target:
    """An empty host in ``folder``: a configuration, and no data."""

    def __init__(self, folder: Path, more: str = "") -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.configuration = folder / "server.hcl"
        self.configuration.write_text(CONFIGURATION.format(folder=folder, more=more), "utf-8")

    def restore(self, content: bytes, unseal_key: str, wishes: Wishes | None = None) -> Restored:
        """Try to restore ``content``."""
        file = self.folder / "tried.backup"
        file.write_bytes(content)
        try:
            return run(str(file), [str(self.configuration)], lambda _number, _of: unseal_key, wishes)
        finally:
            file.unlink()

    def state(self) -> dict[str, str]:
        """Every file below the data folder, but for locks, with the digest of its content; empty where there is no folder."""
        if not self.data.exists():
            return {}
        return {
            str(path.relative_to(self.data)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            for path in sorted(self.data.rglob("*"))
            if path.name not in {"lock", "writer-lock"}
        }


def with_header(parts: Parts, **changes: object) -> Parts:
    """The parts under a header that says something else."""
    return Parts(replace_struct(parts.header, **changes), parts.frames)


def replace_struct(header: Header, **changes: object) -> Header:
    """The header with other members."""
    import msgspec

    return msgspec.structs.replace(header, **changes)


def with_frames(parts: Parts, change: Callable[[list[Frame]], object]) -> Parts:
    """The parts after ``change`` of their list."""
    frames = list(parts.frames)
    change(frames)
    return replace(parts, frames=tuple(frames))
