"""One environment as it is stored."""

from __future__ import annotations

from enum import Enum

import msgspec

from strongroom.logical.environment_name import check_environment_name
from strongroom.logical.errors import InvalidRequest

RANK_MAX = 1000
DESCRIPTION_CHARACTERS_MAX = 512


class Reuse(Enum):
    """What happens to a write of a value that is in use in a more sensitive environment."""

    DENY = "deny"
    WARN = "warn"
    ALLOW = "allow"


class Environment(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One environment.

    The higher its ``rank``, the more sensitive; no two have the same. ``mounts`` are uuids, so that moving a mount changes nothing. Where
    it is ``protected`` a change needs a stated reason. ``reuse`` says what happens to a write *here* of a value from above.
    """

    name: str
    rank: int
    mounts: tuple[str, ...] = ()
    protected: bool = False
    reuse: Reuse = Reuse.DENY
    description: str = ""


def check_environment(environment: Environment) -> Environment:
    """``environment`` if it makes sense by itself. Raises InvalidRequest."""
    check_environment_name(environment.name)
    if not 0 <= environment.rank <= RANK_MAX:
        raise InvalidRequest(f"'rank' must be between 0 and {RANK_MAX}; the higher, the more sensitive")
    text = environment.description
    if len(text) > DESCRIPTION_CHARACTERS_MAX or not text.isprintable():
        raise InvalidRequest(
            f"'description' has at most {DESCRIPTION_CHARACTERS_MAX} printable characters, on one line"
        )
    return environment
