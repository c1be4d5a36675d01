"""The policies that an auth method may give: lower case, sorted, each once, and never ``root``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from strongroom.logical.errors import InvalidRequest

_NAME_CHARACTERS_MAX = 512


def check_policy_names(names: Iterable[str], field: str) -> tuple[str, ...]:
    """``names`` trimmed, lower-cased, sorted and without duplicates. Raises InvalidRequest naming ``field``.

    Refuses every spelling of ``root`` (SECURITY INV-4): what reads as ``root`` after Unicode compatibility folding included.
    """
    checked: set[str] = set()
    for name in names:
        plain = name.strip().lower()
        if not plain:
            continue
        if len(plain) > _NAME_CHARACTERS_MAX or not plain.isprintable():
            raise InvalidRequest(
                f"field {field!r} must hold policy names of printable characters, {_NAME_CHARACTERS_MAX} at most"
            )
        if unicodedata.normalize("NFKC", plain).strip().lower() == "root":
            raise InvalidRequest(
                f"field {field!r} must not hold the root policy: auth methods cannot create root tokens"
            )
        checked.add(plain)
    return tuple(sorted(checked))
