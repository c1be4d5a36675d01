"""Encryption of a backup, chunk by chunk (docs/formats/backup.md).

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO
2015) over AES-256-GCM: the nonce is the number of the chunk and a byte that says whether it is the last one, under a key that only this backup
has. So no chunk opens in another place or in another backup, and an end that was cut off at a chunk is no end.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag

from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.form import Frame, Kind
from strongroom.crypto import aead, kdf

PURPOSE = b"strongroom backup"
"""What the key that all backups of a vault depend on is derived for, from the root key."""
_CHUNKS = b"strongroom backup chunks"
_PLACES = {Kind.CHUNK: 0, Kind.LAST_CHUNK: 1, Kind.MANIFEST: 2}
_NUMBER_BYTES = aead.NONCE_BYTES - 1


class ChunkCipher:
    """The cipher of one backup. ``root_key`` is only read; ``digest`` stands for the header and is covered by every tag."""

    def __init__(self, root_key: bytearray, salt: bytes, digest: bytes) -> None:
        backup_key = kdf.derive(root_key, PURPOSE)
        key = kdf.derive(backup_key, _CHUNKS, salt=salt)
        try:
            self._cipher = aead.cipher(key)
        finally:
            aead.wipe(backup_key, key)
        self._digest = digest

    def seal(self, number: int, kind: Kind, content: bytes | bytearray) -> bytes:
        """A chunk as frame ``number``: ciphertext and tag."""
        return self._cipher.encrypt(_nonce(number, kind), content, self._digest)

    def open(self, frame: Frame) -> bytes:
        """What was sealed. Raises BadBackup."""
        try:
            return self._cipher.decrypt(_nonce(frame.number, frame.kind), frame.content, self._digest)
        except InvalidTag:
            raise BadBackup(Damage.FORGED, f"frame {frame.number}") from None

    def sign(self, number: int, manifest: bytes) -> bytes:
        """The manifest, which stays readable, with its tag."""
        return manifest + self._cipher.encrypt(_nonce(number, Kind.MANIFEST), b"", self._digest + manifest)

    def check_manifest(self, frame: Frame) -> None:
        """Raise BadBackup where the manifest in ``frame`` is not the one that was signed."""
        manifest, tag = frame.content[: -aead.TAG_BYTES], frame.content[-aead.TAG_BYTES :]
        try:
            self._cipher.decrypt(_nonce(frame.number, Kind.MANIFEST), tag, self._digest + manifest)
        except InvalidTag:
            raise BadBackup(Damage.FORGED, "the manifest") from None


def _nonce(number: int, kind: Kind) -> bytes:
    return number.to_bytes(_NUMBER_BYTES, "big") + bytes([_PLACES[kind]])
