"""The canonical name of a user or a role: ASCII, lower case, at most 128 characters (SECURITY INV-2, D-14).

One thing must have one name, or a rule about ``admin`` says nothing about ``Admin``. Names in paths are declared as folded, so that
they arrive here in small letters and the ACL has judged them so; what is still not canonical is refused, and never changed after
the ACL has judged it.
"""

from __future__ import annotations

import re

from strongroom.logical.errors import InvalidRequest

_CANONICAL = re.compile(r"[a-z0-9._@-]{1,128}")


def fold(name: str) -> str | None:
    """The canonical form of ``name``, or None where it has none. Folds the 26 capitals of ASCII and nothing else."""
    if not name.isascii():
        return None
    folded = name.lower()
    return folded if is_canonical(folded) else None


def is_canonical(name: str) -> bool:
    """Whether ``name`` is a canonical name."""
    return _CANONICAL.fullmatch(name) is not None


def check_name(name: str, kind: str) -> str:
    """``name`` itself if it is canonical, else InvalidRequest. ``kind`` says what is named: ``"role"``, ``"user"``."""
    if is_canonical(name):
        return name
    raise InvalidRequest(
        f"the {kind} name must be 1 to 128 characters of a-z, 0-9, '.', '_', '@' and '-'; write capitals as small letters"
    )
