"""Values that are drawn instead of invented: what a value shall look like, in a word, and one that does."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable

from strongroom.logical.ambient import Entropy

LENGTH_MIN, LENGTH_MAX = 8, 4096
"""Characters, or bytes where the kind counts bytes."""

_SYMBOLS = "!#%*+-./:=?@^_~"
_ALPHABETS = {
    "password": string.ascii_letters + string.digits + _SYMBOLS,
    "alphanumeric": string.ascii_letters + string.digits,
    "digits": string.digits,
}
_ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda content: base64.b64encode(content).decode(),
    "token": lambda content: base64.urlsafe_b64encode(content).decode().rstrip("="),
}
_LENGTHS = {"password": 32, "alphanumeric": 32, "digits": 16, "hex": 32, "base64": 32, "token": 32}
KINDS = tuple(_LENGTHS)


class BadKind(ValueError):
    """No kind of value. The text says which there are, and never what was given."""

    def __init__(self) -> None:
        super().__init__(
            f"a kind is one of {', '.join(KINDS)}, and may name a length of {LENGTH_MIN} to {LENGTH_MAX}: password:24, hex:16"
        )


def check_kind(kind: str) -> tuple[str, int]:
    """The kind and the length that ``kind`` names: ``password``, ``hex:16``. Raises BadKind."""
    name, colon, digits = kind.partition(":")
    if name not in _LENGTHS or (colon and not (digits.isascii() and digits.isdigit() and len(digits) <= 4)):
        raise BadKind
    length = int(digits) if colon else _LENGTHS[name]
    if not LENGTH_MIN <= length <= LENGTH_MAX:
        raise BadKind
    return name, length


def draw_value(kind: str, entropy: Entropy) -> str:
    """A fresh value of ``kind``. Raises BadKind."""
    name, length = check_kind(kind)
    encoding = _ENCODINGS.get(name)
    if encoding is not None:
        return encoding(entropy.bytes(length))
    return _drawn(_ALPHABETS[name], length, entropy)


def _drawn(alphabet: str, length: int, entropy: Entropy) -> str:
    """Every character as likely as every other: what would make one likelier is thrown away."""
    fair = 256 - 256 % len(alphabet)
    found: list[str] = []
    while len(found) < length:
        found += [alphabet[byte % len(alphabet)] for byte in entropy.bytes(2 * length) if byte < fair]
    return "".join(found[:length])
