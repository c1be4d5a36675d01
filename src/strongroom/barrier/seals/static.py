"""A seal whose 32-byte key the machine holds: the vault unseals itself at start.

The key comes from a file, a credential directory (systemd's ``LoadCredential``) or an inherited descriptor; never from the command
line, the environment or the API. Raw bytes, hex and base64 are read; raw is best, for text forms leave copies that cannot be wiped.
Wrapped root key: ``0x01 | length of key id (1) | key id | nonce (12) | ciphertext (32) | tag (16)`` (docs/formats/shares.md).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from strongroom.barrier.seals.seal import Damaged, WrongKey
from strongroom.crypto import aead, kdf
from strongroom.logical.ambient import Entropy
from strongroom.logical.errors import Sealed
from strongroom.physical.store import Unavailable

TYPE = "static"
_FORMAT = 1
_LABEL = b"strongroom root key, static seal, format 1"
_KEY_ID = b"strongroom static seal key id"
_FILE_BYTES_MAX = 256
_GROUP_AND_OTHERS = 0o077
_OTHERS = 0o007
_HEX = re.compile(rb"[0-9a-fA-F]{64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{43}=?")


class StaticSeal:
    """A seal with a key that is at hand. Owns ``key`` and wipes it when told to.

    ``key_id`` (at most 255 bytes of UTF-8) stands in each wrapped root key, so that a wrong key is told from a damaged blob; left
    out, it is derived from the key. ``previous`` has the key that was current before: it unwraps and wraps nothing.
    """

    type = TYPE

    def __init__(
        self, key: bytearray, entropy: Entropy, key_id: str = "", *, previous: StaticSeal | None = None
    ) -> None:
        if len(key) != aead.KEY_BYTES:
            raise ValueError("the key of a static seal has 32 bytes")
        self._key = key
        self._entropy = entropy
        self._previous = previous
        self.key_id = key_id or kdf.derive(key, _KEY_ID, 8).hex()
        self._id = self.key_id.encode()
        if len(self._id) > 255:
            raise ValueError("the key id of a static seal has at most 255 bytes")
        if previous is not None and previous.key_id == self.key_id:
            raise ValueError("the previous key of a static seal has another key id than the current one")

    def wrap(self, root_key: bytearray) -> bytes:
        """``root_key`` encrypted under the key."""
        head = bytes([_FORMAT, len(self._id)]) + self._id
        return head + aead.seal(self._key, root_key, _LABEL + head, self._entropy)

    def unwrap(self, blob: bytes) -> bytearray:
        """The root key in ``blob``. Raises WrongKey where another key wrapped it, Damaged for everything else."""
        if len(blob) < 2 or blob[0] != _FORMAT:
            raise Damaged
        head, sealed = blob[: 2 + blob[1]], blob[2 + blob[1] :]
        if head[2:] == self._id:
            return aead.open_sealed(self._key, sealed, _LABEL + head)
        if self._previous is None:
            raise WrongKey
        return self._previous.unwrap(blob)

    def knows(self, blob: bytes) -> bool:
        """Whether it is the current or the previous key that wrapped ``blob``."""
        return self.is_current(blob) or (self._previous is not None and self._previous.knows(blob))

    def is_current(self, blob: bytes) -> bool:
        """Whether it is the current one."""
        return len(blob) >= 2 and blob[2 : 2 + blob[1]] == self._id

    def wipe(self) -> None:
        """Overwrite the keys."""
        aead.wipe(self._key)
        if self._previous is not None:
            self._previous.wipe()


class AbsentSeal:
    """The same seal in a process that has not got the key: it can say what it is, and nothing else."""

    type = TYPE

    def wrap(self, root_key: bytearray) -> bytes:
        """Refuse."""
        del root_key
        raise Sealed

    def unwrap(self, blob: bytes) -> bytearray:
        """Refuse."""
        del blob
        raise Sealed

    def knows(self, blob: bytes) -> bool:
        """It cannot tell, and so says nothing against it."""
        del blob
        return True

    def is_current(self, blob: bytes) -> bool:
        """The same."""
        del blob
        return True

    def wipe(self) -> None:
        """Nothing to overwrite."""


def key_from_file(path: Path) -> bytearray:
    """The key in the file at ``path``, which must belong to this user and be closed to all others. Raises Unavailable."""
    return _read_file(path, _GROUP_AND_OTHERS, (os.geteuid(),))


def key_from_credential(directory: Path, name: str) -> bytearray:
    """The key in the credential ``name`` below ``directory`` (``$CREDENTIALS_DIRECTORY``). Raises Unavailable.

    systemd leaves the file to root and lets us in by an access list, which shows as the group's bits.
    """
    if not name or "/" in name or name in {".", ".."}:
        raise Unavailable("the name of a credential is the plain name of a file in the credential directory")
    return _read_file(directory / name, _OTHERS, (os.geteuid(), 0))


def key_from_descriptor(number: int) -> bytearray:
    """The key that the inherited descriptor ``number`` (3 or more) gives; closes it. Raises Unavailable."""
    if number < 3:
        raise Unavailable("the descriptor of the static seal's key must be 3 or more")
    try:
        return _read_and_close(number)
    except OSError:
        raise Unavailable(
            f"the static seal's key cannot be read: descriptor {number} is not open for reading"
        ) from None


def parse_key(content: bytearray) -> bytearray:
    """The 32 bytes in ``content``: raw, or as hex or base64 text with an optional line end. Raises Unavailable."""
    if len(content) == aead.KEY_BYTES:
        return bytearray(content)
    text = content.strip(b" \t\r\n")
    decoders: tuple[tuple[re.Pattern[bytes], Callable[[bytearray], bytes]], ...] = (
        (_HEX, binascii.unhexlify),
        (_BASE64, lambda found: base64.urlsafe_b64decode(found.translate(bytes.maketrans(b"+/", b"-_")) + b"==")),
    )
    for form, decode in decoders:
        if form.fullmatch(text):
            return bytearray(decode(text))
    raise Unavailable("the static seal's key must be 32 bytes: raw, as 64 hex digits, or as base64")


def _read_file(path: Path, refused_bits: int, owners: tuple[int, ...]) -> bytearray:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise Unavailable(f"the static seal's key file {path} cannot be opened: {reason}") from None
    state = os.fstat(descriptor)
    complaint = ""
    if not stat.S_ISREG(state.st_mode):
        complaint = "is not a regular file"
    elif state.st_uid not in owners:
        complaint = "belongs to another user; chown it to the server's"
    elif state.st_mode & refused_bits:
        complaint = f"is open to other users; close it with: chmod 600 {path}"
    if complaint:
        os.close(descriptor)
        raise Unavailable(f"the static seal's key file {path} {complaint}")
    return _read_and_close(descriptor)


def _read_and_close(descriptor: int) -> bytearray:
    buffer = bytearray(_FILE_BYTES_MAX + 1)
    try:
        size = 0
        # Into our own buffer, because what os.read returns cannot be wiped.
        while size < len(buffer) and (count := os.readv(descriptor, [memoryview(buffer)[size:]])):
            size += count
        content = buffer[:size]
        try:
            return parse_key(content)
        finally:
            aead.wipe(content)
    finally:
        aead.wipe(buffer)
        os.close(descriptor)
