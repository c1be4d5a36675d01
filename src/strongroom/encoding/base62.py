"""Random and numeric text in base62, the alphabet of tokens and accessors: digits, capitals, small letters."""

from __future__ import annotations

from strongroom.logical.ambient import Entropy

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# The largest multiple of 62 that a byte can hold: bytes from here on are dropped, so that no letter is likelier than another.
_UNBIASED = 248
_BIASED = bytes(range(_UNBIASED, 256))
_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_LETTERS = bytes(ord(ALPHABET[byte % 62]) for byte in range(256))


def random_text(length: int, entropy: Entropy) -> str:
    """``length`` letters, each uniform over the alphabet (5.95 bits)."""
    letters = b""
    while len(letters) < length:
        letters += entropy.bytes(length - len(letters) + 8).translate(_LETTERS, _BIASED)
    return letters[:length].decode()


def number(value: int, width: int) -> str:
    """``value`` modulo 62**``width``, in exactly ``width`` letters, most significant first."""
    pairs = []
    for _ in range(0, width, 2):
        value, pair = divmod(value, len(_PAIRS))
        pairs.append(_PAIRS[pair])
    pairs.reverse()
    return "".join(pairs)[-width:] if width else ""
