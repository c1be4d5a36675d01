"""AES-256-GCM with additional authenticated data (NIST SP 800-38D; 96-bit random nonces, section 8.2.2; 128-bit tags).

The number of encryptions under one key is the caller's to bound: at most 2**32 with random nonces (section 8.3).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.logical.ambient import Entropy

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class Damaged(Exception):
    """The bytes are not what was written: changed, exchanged, replayed or under another key. Never says which."""

    def __init__(self) -> None:
        super().__init__("stored data is damaged or was exchanged")


def cipher(key: bytes | bytearray) -> AESGCM:
    """A reusable cipher for ``key`` (32 bytes). It holds its own copy, which its destruction erases."""
    if len(key) != KEY_BYTES:
        raise ValueError("an AES-256 key has 32 bytes")
    return AESGCM(key)


def draw(count: int, entropy: Entropy) -> bytes:
    """``count`` random bytes. Raises OSError if fewer came: a short nonce would repeat."""
    drawn = entropy.bytes(count)
    if len(drawn) != count:
        raise OSError("the random source returned too few bytes")
    return drawn


def draw_key(entropy: Entropy) -> bytearray:
    """A new 32-byte key in a buffer that can be wiped."""
    return draw_secret(KEY_BYTES, entropy)


def draw_secret(count: int, entropy: Entropy) -> bytearray:
    """``count`` random bytes in a buffer that can be wiped, of which there is no other copy. Raises OSError."""
    buffer = bytearray(count)
    entropy.fill(buffer)
    if len(buffer) != count:
        raise OSError("the random source returned too few bytes")
    return buffer


def seal(key: bytes | bytearray, plaintext: bytes | bytearray, associated: bytes, entropy: Entropy) -> bytes:
    """``plaintext`` encrypted under ``key`` and bound to ``associated``: nonce, ciphertext, tag."""
    nonce = draw(NONCE_BYTES, entropy)
    return nonce + cipher(key).encrypt(nonce, plaintext, associated)


def open_sealed(key: bytes | bytearray, sealed: bytes, associated: bytes) -> bytearray:
    """What was sealed, in a buffer that can be wiped. Raises Damaged."""
    size = len(sealed) - NONCE_BYTES - TAG_BYTES
    if size < 0:
        raise Damaged
    plaintext = bytearray(size)
    try:
        cipher(key).decrypt_into(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated, plaintext)
    except InvalidTag:
        raise Damaged from None
    return plaintext


def open_text(key: bytes | bytearray | AESGCM, sealed: bytes, associated: bytes) -> bytes:
    """The same for what goes on into texts and answers, where no wiping reaches: immutable, and without the copy. Raises Damaged.

    ``key`` may be a cipher already, which spares its set-up.
    """
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise Damaged
    opener = key if isinstance(key, AESGCM) else cipher(key)
    try:
        return opener.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except InvalidTag:
        raise Damaged from None


def wipe(*buffers: bytearray) -> None:
    """Overwrite ``buffers`` with zeros, in place."""
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))
