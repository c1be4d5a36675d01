"""Keyed fingerprints of secret values: HMAC-SHA-256 (RFC 2104, FIPS 198-1) over SHA-256 (FIPS 180-4) of the value.

The digest inside lets a scanner ask about a value without sending it; the key outside keeps a thief of the database from
testing guesses.
"""

from __future__ import annotations

import hashlib

from strongroom.crypto.keyed_hash import KeyedHash

DIGEST_BYTES = 32

Key = KeyedHash | bytes | bytearray
"""The key, made ready by whoever uses it often."""


def fingerprint(key: Key, value: bytes) -> bytes:
    """The 32-byte fingerprint of ``value`` under ``key``."""
    ready = key if isinstance(key, KeyedHash) else KeyedHash(key)
    return ready.digest(hashlib.sha256(value).digest())


def from_digest(key: Key, digest: bytes) -> bytes:
    """The fingerprint of the value whose SHA-256 is ``digest``. Raises ValueError unless that has 32 bytes."""
    if len(digest) != DIGEST_BYTES:
        raise ValueError("a SHA-256 digest has 32 bytes")
    ready = key if isinstance(key, KeyedHash) else KeyedHash(key)
    return ready.digest(digest)
