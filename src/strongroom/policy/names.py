"""Names of policies: one spelling each, and ``root`` is none of them (SECURITY INV-2, INV-4, rows 13 and 14)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from strongroom.logical.errors import InvalidRequest

ROOT = "root"
DEFAULT = "default"
RESPONSE_WRAPPING = "response-wrapping"
"""The policy of wrapping tokens. The server attaches it itself; nobody can assign, change or remove it."""

_NAME = re.compile(r"[a-z0-9._@:-]+(?:/[a-z0-9._@:-]+)*")
_NAME_CHARACTERS_MAX = 128
_EXPECTED = "expected 1 to 128 letters, digits and . _ @ : - with single slashes between them"


def check_policy_name(name: str) -> str:
    """``name`` itself if it is the one spelling of a policy's name, for use where it stands in a path.

    Another spelling of the same name is refused and not corrected: the ACL has already judged the path as it was written, and
    what it judged must be what is touched. Raises InvalidRequest.
    """
    if name != name.strip().lower():
        raise InvalidRequest("policy names are written in small letters and without spaces around them")
    _check_alphabet(name)
    return name


def is_policy_name(name: str) -> bool:
    """Whether a policy could have this name, written just so."""
    try:
        return check_policy_name(name) == name
    except InvalidRequest:
        return False


def normalize_policy_names(names: Iterable[str], *, allow_root: bool) -> tuple[str, ...]:
    """A list of policies as it came from a client, in lower case, sorted and without duplicates.

    Raises InvalidRequest for a name outside the alphabet, for the one that only the server assigns, and unless ``allow_root``
    for every spelling of ``root``. Empty names are dropped, as clients write ``""`` for none.
    """
    normal: set[str] = set()
    for name in names:
        stripped = name.strip()
        if spells_root(stripped) and not allow_root:
            raise InvalidRequest('the policy "root" cannot be assigned here')
        if stripped == "":
            continue
        lowered = stripped.lower() if stripped.isascii() else stripped
        _check_alphabet(lowered)
        if lowered == RESPONSE_WRAPPING:
            raise InvalidRequest(f'cannot assign policy "{RESPONSE_WRAPPING}"')
        normal.add(lowered)
    return tuple(sorted(normal))


def spells_root(name: str) -> bool:
    """Whether ``name`` reads as ``root``, in whatever letters and with whatever spaces around it."""
    return unicodedata.normalize("NFKC", name).strip().casefold() == ROOT


def _check_alphabet(name: str) -> None:
    if len(name) > _NAME_CHARACTERS_MAX or not _NAME.fullmatch(name):
        raise InvalidRequest(f"invalid policy name: {_EXPECTED}")
    if any(segment in {".", ".."} for segment in name.split("/")):
        raise InvalidRequest("invalid policy name: '.' and '..' are not segments of a name")
