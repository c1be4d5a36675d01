"""The policies that an auth method may give: lower case, sorted, each once, and never ``root``.

What is refused here is what no login could get: a name that is only found bad when somebody logs in would lock everybody out.
"""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.policy_name import EXPECTED, RESPONSE_WRAPPING, in_small_letters, is_well_formed, spells_root


def check_policy_names(names: Iterable[str], field: str) -> tuple[str, ...]:
    """``names`` trimmed, lower-cased, sorted and without duplicates. Raises InvalidRequest naming ``field``.

    Refuses every spelling of ``root`` (SECURITY INV-4): what reads as ``root`` after Unicode compatibility folding included.
    """
    checked: set[str] = set()
    for name in names:
        plain = in_small_letters(name)
        if not plain:
            continue
        if spells_root(name):
            raise InvalidRequest(
                f"field {field!r} must not hold the root policy: auth methods cannot create root tokens"
            )
        if not is_well_formed(plain) or plain == RESPONSE_WRAPPING:
            raise InvalidRequest(f"field {field!r} must hold names of policies: {EXPECTED}")
        checked.add(plain)
    return tuple(sorted(checked))
