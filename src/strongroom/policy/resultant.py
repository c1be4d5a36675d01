"""What a token's policies come to, as user interfaces read it: rules by exact path and by prefix.

A picture and no decision. As in Vault and OpenBao, paths with a ``+`` are not in it.
"""

from __future__ import annotations

from typing import Any

from strongroom.policy.acl import ACL
from strongroom.policy.rule import CAPABILITY_BITS, DENY
from strongroom.policy.table import Entry

_ORDER = ("create", "delete", "list", "read", "sudo", "update", "patch", "scan")
"""The order in which clients have always seen capabilities."""


def resultant_acl(acl: ACL, now_ns: int) -> dict[str, Any]:
    """The data of ``sys/internal/ui/resultant-acl``. Root has no rules."""
    if acl.is_root:
        return {"root": True}
    table, barred = acl.in_force(now_ns), acl.barred
    exact = {path: _described(entry) for path, entry in table.exact.items() if not path.startswith(barred)}
    globs = {path: _described(entry) for path, entry in table.prefixes.items() if not path.startswith(barred)}
    globs.update((path, {"capabilities": [DENY]}) for path in barred)
    return {"root": False, "exact_paths": exact, "glob_paths": globs}


def _described(entry: Entry) -> dict[str, Any]:
    names = [name for name in _ORDER if entry.bits & CAPABILITY_BITS[name]]
    described: dict[str, Any] = {"capabilities": names if entry.grants else [DENY]}
    constraints = entry.constraints
    if constraints is None:
        return described
    for name, parameters in (("allowed_parameters", constraints.allowed), ("denied_parameters", constraints.denied)):
        if parameters:
            described[name] = {key: list(values) for key, values in parameters.items()}
    limits = {
        "required_parameters": list(constraints.required),
        "min_wrapping_ttl": constraints.min_wrapping_ttl,
        "max_wrapping_ttl": constraints.max_wrapping_ttl,
        "pagination_limit": constraints.pagination_limit,
    }
    return described | {name: value for name, value in limits.items() if value}
