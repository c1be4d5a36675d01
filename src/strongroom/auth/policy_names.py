"""The policies that an auth method may give: lower case, sorted, each once, and never ``root``.

What is refused here is what no login could get: a name that is only found bad when somebody logs in would lock everybody out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from strongroom.logical.errors import InvalidRequest

# The alphabet of ``policy/names``, which auth methods cannot import; a test holds the two together.
_NAME = re.compile(r"[a-z0-9._@:-]+(?:/[a-z0-9._@:-]+)*")
_NAME_CHARACTERS_MAX = 128
_NEVER_GIVEN = "response-wrapping"


def check_policy_names(names: Iterable[str], field: str) -> tuple[str, ...]:
    """``names`` trimmed, lower-cased, sorted and without duplicates. Raises InvalidRequest naming ``field``.

    Refuses every spelling of ``root`` (SECURITY INV-4): what reads as ``root`` after Unicode compatibility folding included.
    """
    checked: set[str] = set()
    for name in names:
        stripped = name.strip()
        if not stripped:
            continue
        if unicodedata.normalize("NFKC", stripped).strip().casefold() == "root":
            raise InvalidRequest(
                f"field {field!r} must not hold the root policy: auth methods cannot create root tokens"
            )
        plain = stripped.lower() if stripped.isascii() else stripped
        if not _can_be_given(plain):
            raise InvalidRequest(
                f"field {field!r} must hold names of policies: 1 to {_NAME_CHARACTERS_MAX} letters, digits and . _ @ : - with"
                " single slashes between them"
            )
        checked.add(plain)
    return tuple(sorted(checked))


def _can_be_given(name: str) -> bool:
    if len(name) > _NAME_CHARACTERS_MAX or not _NAME.fullmatch(name) or name == _NEVER_GIVEN:
        return False
    return not {".", ".."} & set(name.split("/"))
