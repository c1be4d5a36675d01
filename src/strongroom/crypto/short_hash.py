"""Keyed BLAKE2b (RFC 7693) of eight bytes, for very many short values under one key: half the time of HMAC-SHA-256."""

from __future__ import annotations

import hashlib

DIGEST_BYTES = 8


class ShortHash:
    """The function that a key and a purpose make of BLAKE2b. Immutable; safe in every thread.

    ``start()`` begins with one value: ``update`` it, then ask its ``digest()``. The state with the key in it is copied, which takes less
    time than to begin anew.
    """

    __slots__ = ("start",)

    def __init__(self, key: bytes, purpose: bytes) -> None:
        self.start = hashlib.blake2b(key=key, digest_size=DIGEST_BYTES, person=purpose).copy

    def __repr__(self) -> str:
        return "<short hash>"

    def digest(self, value: bytes) -> bytes:
        """The eight bytes for ``value``."""
        state = self.start()
        state.update(value)
        return state.digest()
