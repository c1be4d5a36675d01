"""Names of policies where a policy is meant: in a path, and in a token's list (SECURITY INV-2, INV-4, rows 13 and 14)."""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.policy_name import EXPECTED, RESPONSE_WRAPPING, in_small_letters, is_well_formed, spells_root


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
        if spells_root(name) and not allow_root:
            raise InvalidRequest('the policy "root" cannot be assigned here')
        lowered = in_small_letters(name)
        if lowered == "":
            continue
        _check_alphabet(lowered)
        if lowered == RESPONSE_WRAPPING:
            raise InvalidRequest(f'cannot assign policy "{RESPONSE_WRAPPING}"')
        normal.add(lowered)
    return tuple(sorted(normal))


def _check_alphabet(name: str) -> None:
    if not is_well_formed(name):
        raise InvalidRequest(f"invalid policy name: expected {EXPECTED}")
