"""The nouns of the policy language: a document is a tuple of rules, a rule grants or denies capabilities on a path pattern.

A pattern is an exact path; or it ends in ``*`` and matches every path that begins with what stands before; or some of its
segments are ``+``, each of which stands for exactly one segment. A ``*`` anywhere else is a character like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.logical.operation import Capability

SCAN = "scan"
"""OpenBao's capability for recursive lists: known and reported, but no operation of ours needs it."""

CAPABILITY_BITS: Mapping[str, int] = {
    name: 1 << index for index, name in enumerate([*(capability.value for capability in Capability), SCAN])
}
DENY = Capability.DENY.value
DENY_BIT = CAPABILITY_BITS[DENY]
SUDO_BIT = CAPABILITY_BITS[Capability.SUDO.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRule:
    """What one ``path`` block says. Immutable, and so may be shared by every compiled ACL.

    ``path`` has no leading slash and keeps its ``*``. ``capabilities`` is ``{"deny"}`` alone or holds no deny. Parameter rules
    are None where the block has none; their keys are in lower case, and an empty tuple stands for any value. Wrapping TTLs are
    seconds, 0 where unset; ``pagination_limit`` counts keys, 0 where unset.
    """

    path: str
    capabilities: frozenset[str] = frozenset()
    allowed_parameters: Mapping[str, tuple[Any, ...]] | None = None
    denied_parameters: Mapping[str, tuple[Any, ...]] | None = None
    required_parameters: tuple[str, ...] = ()
    min_wrapping_ttl: int = 0
    max_wrapping_ttl: int = 0
    pagination_limit: int = 0
    expiration_ns: int | None = None
    comment: str = ""

    @property
    def denies(self) -> bool:
        """Whether the rule takes access away."""
        return DENY in self.capabilities

    @property
    def is_templated(self) -> bool:
        """Whether the path waits for values of an identity."""
        return "{{" in self.path

    @property
    def is_prefix(self) -> bool:
        """Whether the path ends in the glob."""
        return self.path.endswith("*")


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy, read.

    ``barred`` holds literal prefixes below which nothing is allowed whatever other rules say. No text can write it: it is what
    stays of a deny whose template could not be rendered, so that a failure never widens access (SECURITY INV-5).
    """

    rules: tuple[PathRule, ...] = ()
    barred: tuple[str, ...] = ()

    @property
    def is_templated(self) -> bool:
        """Whether any path waits for values of an identity."""
        return any(rule.is_templated for rule in self.rules)


NOTHING = PolicyDocument(barred=("",))
"""The policy that takes all access away: what stands in for one that cannot be read."""
