"""Named places in the code where a test can make the process die, fail or wait (SECURITY B2).

Owns the names and the one table of what is armed, which does not exist in every server that is run in earnest. Refuses to know how a point
could be armed: no setting, variable, flag or request does that, and nothing in this package calls ``arm``. Only a program that imports
the package and calls ``arm`` before it starts the server can, as the harness in ``reliability/`` does; it is not part of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

Name = Literal[
    "before_audit_request",
    "after_audit_request",
    "before_store_begin",
    "after_store_begin",
    "before_commit",
    "after_commit_before_ack",
    "before_audit_response",
    "after_audit_response",
    "after_ack",
    "founding_before_persist",
    "founding_after_persist",
    "founding_before_announce",
    "founding_after_announce",
    "founding_after_mark",
    "counter_before_persist",
    "counter_after_persist",
    "keyring_before_persist",
    "keyring_after_persist",
    "keyrings_before_change",
    "keyrings_after_change",
    "reseal_before_step",
    "reseal_after_step",
    "removal_before_step",
    "removal_after_step",
    "rekey_before_swap",
    "rekey_after_swap",
    "root_key_before_swap",
    "root_key_after_swap",
    "former_before_drop",
    "former_after_drop",
    "migration_before_swap",
    "migration_after_swap",
    "rewrap_before_swap",
    "rewrap_after_swap",
    "seal_before_wipe",
    "seal_after_wipe",
    "backup_after_pages",
    "restore_before_swap",
    "restore_after_aside",
    "restore_after_swap",
]
NAMES: tuple[Name, ...] = get_args(Name)
"""Every point, in the order in which a change passes them."""

Action = Callable[[], None]
"""What happens at a point that is armed. It may raise what the code around the point could raise there."""

_armed: Mapping[Name, Action] | None = None


def reach(name: Name) -> None:
    """Nothing, unless a test armed the point ``name``. Costs a call and a comparison, about 50 nanoseconds."""
    if _armed is not None and name in _armed:
        _armed[name]()


def arm(actions: Mapping[Name, Action]) -> None:
    """Have ``actions`` happen at their points from now on, and nothing at all others. For tests, before the server starts."""
    global _armed  # noqa: PLW0603 -- handing the table through every constructor would cost more than it protects
    _armed = MappingProxyType(dict(actions))
