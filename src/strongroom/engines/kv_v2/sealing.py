"""The body of one version, sealed under the data key of its secret.

The metadata record holds the data key and lies encrypted in the barrier like every record. So deleting the metadata of a secret
makes all its versions unreadable, even those that lie in an older copy of the store. The associated data binds a body to its
mount, its path and its version: it opens nowhere else.
"""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.crypto.aead import Damaged, draw_key, open_text, seal
from strongroom.logical.ambient import Entropy

_FORMAT = b"\x01"
_LABEL = b"strongroom/kv-v2/version"


def new_data_key(entropy: Entropy) -> bytes:
    """A data key for a new secret: 32 random bytes."""
    return bytes(draw_key(entropy))


def seal_body(key: bytes, place: bytes, body: bytes, entropy: Entropy) -> bytes:
    """``body`` sealed for ``place`` (see :func:`place_of`) with a fresh nonce."""
    return _FORMAT + seal(key, body, place, entropy)


def open_body(key: bytes | AESGCM, place: bytes, sealed: bytes) -> bytes:
    """The body that was sealed, by its key or a cipher with it. Raises ``crypto.aead.Damaged`` where it is not from this key and place."""
    if sealed[:1] != _FORMAT:
        raise Damaged
    return open_text(key, sealed[1:], place)


def place_of(mount_uuid: str, path: str, version: int) -> bytes:
    """What a body is bound to: lengths stand before the texts, so that no two places look alike."""
    mount, where = mount_uuid.encode(), path.encode()
    return b"".join((_LABEL, struct.pack(">II", len(mount), len(where)), mount, where, struct.pack(">Q", version)))
