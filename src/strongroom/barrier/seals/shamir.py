"""The default seal: a key-encryption key that exists only as shares in the hands of several people.

Wrapped root key: ``0x01 | nonce (12) | ciphertext (32) | tag (16)`` (docs/formats/shares.md).
"""

from __future__ import annotations

from strongroom.barrier.seals.seal import Damaged
from strongroom.crypto import aead
from strongroom.logical.ambient import Entropy

TYPE = "shamir"
_FORMAT = b"\x01"
_ASSOCIATED = b"strongroom root key, shamir seal, format 1"


class ShamirSeal:
    """A seal with the combined key, which it owns and wipes when told to."""

    type = TYPE

    def __init__(self, key: bytearray, entropy: Entropy) -> None:
        self._key = key
        self._entropy = entropy

    def wrap(self, root_key: bytearray) -> bytes:
        """``root_key`` encrypted under the combined key."""
        return _FORMAT + aead.seal(self._key, root_key, _ASSOCIATED, self._entropy)

    def unwrap(self, blob: bytes) -> bytearray:
        """The root key in ``blob``. Raises Damaged where the shares or the blob are wrong."""
        if blob[:1] != _FORMAT or len(self._key) != aead.KEY_BYTES:
            raise Damaged
        return aead.open_sealed(self._key, blob[1:], _ASSOCIATED)

    def knows(self, blob: bytes) -> bool:
        """Always: shares have no name."""
        del blob
        return True

    def is_current(self, blob: bytes) -> bool:
        """Always: there is one key."""
        del blob
        return True

    def wipe(self) -> None:
        """Overwrite the key."""
        aead.wipe(self._key)
