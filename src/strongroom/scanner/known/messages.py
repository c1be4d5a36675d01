"""The messages between who asks and who answers, as values of JSON (docs/formats/known-values.md).

Both sides read with these functions, and take nothing that the page does not allow.
"""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from strongroom.scanner.known.values import DIGEST_BYTES, Holder

VERSION = 1
PREFIX_BYTES = 3
HALF_BYTES = DIGEST_BYTES // 2
KEY_BYTES = 32
MOST_PREFIXES = 65_536
"""Prefixes in one message."""
MOST_DIGESTS = 4_096
"""First halves in one message."""
MOST_HOLDERS = 100
"""Holders of one value in an answer."""
_LONGEST_TEXT = 1024
_LONGEST_ID = 64


class BadMessage(ValueError):
    """A message that is not as agreed. The text says what is wrong with it, and holds nothing of it."""


def to_text(parts: Iterable[bytes]) -> str:
    """Byte strings of one length as one text: base64 of all, one behind the other."""
    return base64.b64encode(b"".join(parts)).decode()


def from_text(message: Mapping[str, Any], name: str, width: int, most: int) -> list[bytes]:
    """The byte strings of `width` bytes in field `name`. Raises BadMessage."""
    text = message.get(name)
    if not isinstance(text, str) or len(text) > (width * most * 4) // 3 + 4:
        raise BadMessage(f"{name} must be base64 of at most {most} times {width} bytes")
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadMessage(f"{name} is not base64") from None
    if len(data) % width:
        raise BadMessage(f"{name} must hold a multiple of {width} bytes")
    return [data[at : at + width] for at in range(0, len(data), width)]


def rising(parts: Sequence[bytes], name: str) -> Sequence[bytes]:
    """`parts`, if each is greater than the one before: their order then tells nothing. Raises BadMessage."""
    if any(one >= other for one, other in itertools.pairwise(parts)):
        raise BadMessage(f"{name} must be sorted, each once")
    return parts


def whole(message: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """The whole number in field `name`. Raises BadMessage."""
    value = message.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadMessage(f"{name} must be a whole number from {least} to {most}")
    return value


def identifier(message: Mapping[str, Any]) -> str:
    """The scan that a message belongs to. Raises BadMessage."""
    value = message.get("scan")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isascii() or not value.isalnum():
        raise BadMessage("scan must be the identifier that the server gave")
    return value


def check_version(message: Mapping[str, Any]) -> None:
    """Raises BadMessage unless `message` is of our version."""
    if message.get("version") != VERSION or isinstance(message.get("version"), bool):
        raise BadMessage(f"version must be {VERSION}")


def holder_to_json(holder: Holder) -> dict[str, Any]:
    """A holder as an answer names it."""
    return {
        "place": holder.place,
        "key": holder.key,
        "version": holder.version,
        "is_current": holder.is_current,
    }


def holder_from_json(value: Any) -> Holder:
    """A holder as an answer named it. Raises BadMessage."""
    if not isinstance(value, dict):
        raise BadMessage("a holder must be an object")
    place, key, is_current = value.get("place"), value.get("key"), value.get("is_current")
    if not all(isinstance(text, str) and len(text) <= _LONGEST_TEXT for text in (place, key)) or not place:
        raise BadMessage("a holder has a place and a key")
    if not (is_current is None or isinstance(is_current, bool)):
        raise BadMessage("is_current must be true, false or null")
    return Holder(str(place), str(key), whole(value, "version", 0, 1 << 53), is_current)
