"""Vaults in memory, their backups, and backups put together by hand."""

from __future__ import annotations

import io

from tests.kit import Vault

from strongroom.backup.examination import Examination, Examined
from strongroom.backup.form import Frame, FrameReader, FrameWriter, Header
from strongroom.backup.writing import Written, write_backup
from strongroom.crypto import aead
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.system.backups import task_of


def filled_vault(*, secrets: int = 6, secret_bytes: int = 100_000) -> Vault:
    """A vault whose backup has three chunks, unless told otherwise."""
    vault = Vault()
    vault.mount("kv", "kv")
    for number in range(secrets):
        assert vault.post(f"kv/s{number}", {"value": f"{number} " * (secret_bytes // 2)}).status == 204
    return vault


def backup_of(vault: Vault) -> tuple[bytes, Written]:
    content = bytearray()
    task = task_of(vault.node.require(), vault.node.lifecycle.surroundings, lambda: None)
    written = write_backup(task, content.extend)
    return bytes(content), written


def root_key_of(vault: Vault) -> bytearray:
    return vault.node.require().barrier.copy_root_key()


def examine(content: bytes, vault: Vault, *areas: str) -> Examined:
    """What an examination with the vault's keys finds. Raises BadBackup."""
    root_key = root_key_of(vault)
    try:
        return Examination(root_key, SystemClock(), SystemEntropy(), areas).run(io.BytesIO(content))
    finally:
        aead.wipe(root_key)


def frames_of(content: bytes) -> tuple[Header, list[Frame]]:
    reader = FrameReader(io.BytesIO(content))
    return reader.header, list(reader.frames())


def joined(header: Header, frames: list[Frame]) -> bytes:
    """A file whose checksums all fit, made without a key."""
    content = bytearray()
    writer = FrameWriter(content.extend, header)
    for frame in frames:
        writer.frame(frame.kind, frame.content)
    return bytes(content)
