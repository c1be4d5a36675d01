"""One environment as it is stored."""

from __future__ import annotations

from enum import Enum

import msgspec

from strongroom.environments.forms import LENGTH_MIN
from strongroom.logical.environment_name import check_environment_name
from strongroom.logical.errors import InvalidRequest

RANK_MAX = 1000
DESCRIPTION_CHARACTERS_MAX = 512
LENGTH_LIMIT = 1024
SHARED_MAX = 256
"""How many values, and how long, an environment can share with others by declaration."""
SHARED_CHARACTERS_MAX = 512


class Reuse(Enum):
    """What happens to a write of a value that is in use in a more sensitive environment."""

    DENY = "deny"
    WARN = "warn"
    ALLOW = "allow"


class Environment(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One environment.

    The higher its ``rank``, the more sensitive; no two have the same. ``mounts`` are uuids, so that moving a mount changes nothing. Where
    it is ``protected`` a change needs a stated reason. ``reuse`` says what happens to a write *here* of a value from above,
    but for values that are shorter than ``reuse_minimum_length`` or stand in ``shared_values``. ``keyring`` is the id of the one that seals
    what its mounts hold; 0 where it has none of its own yet.
    """

    name: str
    rank: int
    mounts: tuple[str, ...] = ()
    protected: bool = False
    reuse: Reuse = Reuse.DENY
    reuse_minimum_length: int = LENGTH_MIN
    shared_values: tuple[str, ...] = ()
    description: str = ""
    keyring: int = 0


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
    if not LENGTH_MIN <= environment.reuse_minimum_length <= LENGTH_LIMIT:
        raise InvalidRequest(f"'reuse_minimum_length' must be between {LENGTH_MIN} and {LENGTH_LIMIT}")
    shared = environment.shared_values
    if len(shared) > SHARED_MAX or any(len(value) > SHARED_CHARACTERS_MAX for value in shared):
        raise InvalidRequest(f"'shared_values' has at most {SHARED_MAX} values of {SHARED_CHARACTERS_MAX} characters")
    return environment
