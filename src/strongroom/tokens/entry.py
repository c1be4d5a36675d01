"""What is stored of a token: everything but the token."""

from __future__ import annotations

from typing import Any

import msgspec

from strongroom.logical.backend import Caller
from strongroom.logical.request import TokenType

NEVER = 0
"""The ``expire_time_ns`` of a token that does not expire."""


class TokenEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One token. Instants are nanoseconds since the epoch, durations seconds; 0 means unset.

    ``id`` is the keyed hash of the token; the token itself is nowhere. ``num_uses`` is what is left where
    ``use_limited`` says that there is a limit. ``auth_mount`` is the uuid of the auth method that made it, and ``internal`` what
    that method needs at renewal. ``watched_ancestors`` is how many generations stand above it, each of which is looked at whenever it is
    used; older servers counted only those that can expire.
    """

    id: str
    accessor: str
    policies: tuple[str, ...]
    path: str
    display_name: str
    creation_time_ns: int
    expire_time_ns: int = NEVER
    creation_ttl: int = 0
    max_ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    renewable: bool = False
    last_renewal_ns: int = 0
    num_uses: int = 0
    use_limited: bool = False
    parent: str = ""
    watched_ancestors: int = 0
    orphan: bool = False
    type: TokenType = TokenType.SERVICE
    metadata: dict[str, str] = {}
    bound_cidrs: tuple[str, ...] = ()
    role: str = ""
    entity_id: str = ""
    alias: str = ""
    auth_mount: str = ""
    internal: dict[str, Any] = {}
    environments: tuple[str, ...] = ()
    made_by: str = ""
    """Of an orphan that no root token made: who did, by the identity that bad guesses count for. It lives on without that."""

    @property
    def is_root(self) -> bool:
        """Whether this token may do everything. ``root`` is set only by init, generate-root and a root parent (INV-4)."""
        return "root" in self.policies

    @property
    def lease_id(self) -> str:
        """How the token's lease is called, or "" where it has none: it is not stored, or it never expires."""
        if self.type is TokenType.BATCH or self.expire_time_ns == NEVER:
            return ""
        return f"{self.path}/h{self.id}"

    def is_expired(self, now_ns: int) -> bool:
        """Whether its time is over. Checked at every use, whatever any sweeper did (INV-13)."""
        return self.expire_time_ns != NEVER and now_ns >= self.expire_time_ns

    def remaining_seconds(self, now_ns: int) -> int:
        """Whole seconds until it expires, 0 where it never does or already did."""
        if self.expire_time_ns == NEVER:
            return 0
        return max(0, -((now_ns - self.expire_time_ns) // 1_000_000_000))

    def caller(self) -> Caller:
        """What handlers may know of it."""
        return Caller(
            token_id=self.id,
            accessor=self.accessor,
            display_name=self.display_name,
            policies=self.policies,
            token_policies=self.policies,
            metadata=self.metadata,
            entity_id=self.entity_id,
            is_root=self.is_root,
            is_batch=self.type is TokenType.BATCH,
            environments=self.environments,
        )
