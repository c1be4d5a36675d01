"""HKDF with SHA-256 (RFC 5869): many keys out of one."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(key: bytes | bytearray, purpose: bytes, length: int = 32, salt: bytes = b"") -> bytearray:
    """``length`` bytes (at most 8160) that depend on ``key``, ``purpose`` and ``salt``, in a buffer that can be wiped.

    Different purposes give unrelated keys; a purpose is a constant of ours, never input.
    """
    derived = bytearray(length)
    HKDF(SHA256(), length, salt or None, purpose).derive_into(key, derived)
    return derived
