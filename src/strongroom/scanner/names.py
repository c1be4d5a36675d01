"""Names of files as a hiding place: a token may be in one."""

from __future__ import annotations

import re

_LEAST = 20
_LONG = re.compile(rf"[A-Za-z0-9_\-]{{{_LEAST},512}}")


def may_hold_secret(name: str) -> bool:
    """Whether a name has a part that looks drawn from letters of both kinds and digits: UUIDs, digests and words have not."""
    return len(name) >= _LEAST and any(_is_mixed(found[0]) for found in _LONG.finditer(name))


def _is_mixed(part: str) -> bool:
    return any(map(str.isdigit, part)) and any(map(str.islower, part)) and any(map(str.isupper, part))
