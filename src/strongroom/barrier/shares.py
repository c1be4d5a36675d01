"""Key shares on their way in: their text forms, and collecting enough of them. Wiped as soon as they were used."""

from __future__ import annotations

import base64
import binascii
import hmac

from strongroom.crypto import aead, shamir
from strongroom.crypto.aead import Damaged
from strongroom.encoding.uuid4 import uuid4_text
from strongroom.logical.ambient import Entropy
from strongroom.logical.errors import InvalidRequest

_SHARE_BYTES_LEAST = 16
# A key of 32 bytes, and the byte with the share's point.
_SHARE_BYTES_MOST = aead.KEY_BYTES + 1
_TEXT_MOST = 1024


def decode_share(text: str) -> bytearray:
    """The share in ``text``, hex or standard base64. Raises InvalidRequest with the text that Vault's clients know."""
    content = _decode(text)
    if len(content) < _SHARE_BYTES_LEAST:
        raise InvalidRequest(f"key is shorter than minimum {_SHARE_BYTES_LEAST} bytes")
    if len(content) > _SHARE_BYTES_MOST:
        raise InvalidRequest(f"key is longer than maximum {_SHARE_BYTES_MOST} bytes")
    return content


def new_nonce(entropy: Entropy) -> str:
    """The name of one operation that takes several shares: a random UUID. Not a secret."""
    return uuid4_text(aead.draw(16, entropy))


class ShareCollector:
    """Collects ``threshold`` different shares for the operation ``nonce``. Not thread-safe: the owner's lock surrounds it."""

    def __init__(self, threshold: int, nonce: str) -> None:
        self.threshold = threshold
        self.nonce = nonce
        self._shares: list[bytearray] = []

    @property
    def progress(self) -> int:
        """How many different shares there are."""
        return len(self._shares)

    @property
    def is_complete(self) -> bool:
        """Whether there are enough of them."""
        return len(self._shares) >= self.threshold

    def submit(self, share: bytearray) -> bool:
        """Add ``share``, which is ours from now on, and answer whether it was missing: one that is there already is dropped."""
        is_new = not self.is_complete and not any(hmac.compare_digest(share, known) for known in self._shares)
        if is_new:
            self._shares.append(share)
        else:
            aead.wipe(share)
        return is_new

    def combine(self) -> bytearray:
        """The secret that the shares give, which may still be the wrong one. Wipes the shares. Raises Damaged."""
        try:
            if self.threshold > 1 and len(self._shares) < 2:
                raise Damaged
            return self.attempt()
        finally:
            self.reset()

    def attempt(self) -> bytearray:
        """The same, for whoever may want more shares afterwards: they are kept. Raises Damaged."""
        try:
            return bytearray(self._shares[0]) if len(self._shares) == 1 else shamir.combine(self._shares)
        except (ValueError, IndexError):
            raise Damaged from None

    def reset(self) -> None:
        """Forget and wipe the shares."""
        aead.wipe(*self._shares)
        self._shares.clear()


def split(secret: bytearray, shares: int, threshold: int, entropy: Entropy) -> list[bytearray]:
    """``secret`` as shares. A single share is the secret itself, as in Vault."""
    return [bytearray(secret)] if shares == 1 else shamir.split(secret, shares, threshold, entropy)


def check_numbers(shares: int, threshold: int) -> None:
    """Raise InvalidRequest unless ``threshold`` of ``shares`` is possible. The texts are Vault's."""
    complaints = (
        (shares < 1, "shares must be at least one"),
        (threshold < 1, "threshold must be at least one"),
        (shares > 1 and threshold == 1, "threshold must be greater than one for multiple shares"),
        (shares > shamir.SHARES_MAX, "shares must be less than 256"),
        (threshold > shamir.SHARES_MAX, "threshold must be less than 256"),
        (threshold > shares, "threshold cannot be larger than shares"),
    )
    for applies, complaint in complaints:
        if applies:
            raise InvalidRequest(f"invalid seal configuration: {complaint}")


def _decode(text: str) -> bytearray:
    if 0 < len(text) <= _TEXT_MOST and text.isascii():
        try:
            return bytearray(binascii.unhexlify(text))
        except binascii.Error:
            pass
        try:
            return bytearray(base64.b64decode(text, validate=True))
        except binascii.Error:
            pass
    raise InvalidRequest("'key' must be a valid hex or base64 string")
