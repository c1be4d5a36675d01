"""Keyed digests of what a client must prove: the storage holds these and never the proof itself.

The key is random, lies in the mount's own storage and is made at the first use. So an index can be searched by value, and a copy of
one mount's records says nothing about another's.
"""

from __future__ import annotations

import hmac

from strongroom.logical.ambient import Entropy
from strongroom.logical.storage import Storage

_KEY = "digest_key"
_KEY_BYTES = 32


def ensure_key(storage: Storage, entropy: Entropy) -> bytes:
    """The mount's key; made now if there is none."""
    key = storage.get(_KEY)
    if key is None:
        key = entropy.bytes(_KEY_BYTES)
        storage.put(_KEY, key)
    return key


def digest(storage: Storage, *parts: str) -> str | None:
    """The digest of ``parts``, 64 hexadecimal digits; None where no key was made yet, and so nothing can be stored under one."""
    key = storage.get(_KEY)
    return None if key is None else _digest(key, parts)


def new_digest(storage: Storage, entropy: Entropy, *parts: str) -> str:
    """The digest of ``parts``, with a key made for it if need be."""
    return _digest(ensure_key(storage, entropy), parts)


def _digest(key: bytes, parts: tuple[str, ...]) -> str:
    # Each part goes with its length, so that no two lists of parts give the same message.
    message = b"".join(
        len(part).to_bytes(8, "big") + part for part in (text.encode("utf-8", "surrogatepass") for text in parts)
    )
    return hmac.digest(key, message, "sha256").hex()
