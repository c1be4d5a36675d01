"""What is stored: one record per quota, and the configuration of all of them."""

from __future__ import annotations

import msgspec

NAME_CHARACTERS_MAX = 256
RULES_MAX = 1_000
ROLE_CHARACTERS_MAX = 512
RATE_MAX = 2**31

DEFAULT_EXEMPT_PATHS = (
    "sys/generate-recovery-token/attempt",
    "sys/generate-recovery-token/update",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/health",
    "sys/seal-status",
    "sys/unseal",
)
"""What is never limited unless an operator says otherwise: Vault's list."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One quota. Times are seconds.

    ``mount`` is the uuid of the mount that it is about, so that it goes where the mount goes and ends with it; empty for all
    requests. ``below`` is a path in that mount, or one with a final ``*``; empty for the whole mount.
    ``inheritable`` is what a client said, for whoever reads it back; None where nobody did. ``serial`` tells a quota from one with the
    same name and numbers that was deleted before: what was counted for that one does not count.
    """

    name: str
    rate: float
    interval: int = 1
    block_interval: int = 0
    mount: str = ""
    below: str = ""
    role: str = ""
    inheritable: bool | None = None
    serial: str = ""

    @property
    def limit(self) -> int:
        """How many requests an interval has room for: the rate, rounded, and never none."""
        return max(1, round(self.rate))

    @property
    def subject(self) -> tuple[str, str, str]:
        """What the quota is about. No two quotas are about the same."""
        return (self.mount, self.below, self.role)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all quotas. ``exempt_paths`` are never limited, with what lies below them; a final ``*`` stands for any text."""

    exempt_paths: tuple[str, ...] = DEFAULT_EXEMPT_PATHS
    audit_logging: bool = False
    response_headers: bool = False
