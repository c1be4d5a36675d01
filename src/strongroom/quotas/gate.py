"""The gate that the requests of one batch go through: first by their paths, and logins by their role once it can be read."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.logical.errors import LogicalError
from strongroom.quotas.ruleset import Limiter, MountRules, QuotaExceeded, Ruleset, client_of
from strongroom.quotas.window import Grant

_LOGIN = "login"


@dataclass(frozen=True, slots=True)
class Pending:
    """A login to a mount that has rules for roles: which rule counts is known once its body is read."""

    path: str
    client: str
    otherwise: Limiter | None
    rules: MountRules


class Gate:
    """One batch before the quotas. ``now`` is on the monotonic clock. Requests go through one after the other.

    After ``begin`` and ``admit``, ``grant`` is what the rule said to the request, and ``pending`` is set where the rule is not decided yet.
    """

    __slots__ = ("_now", "_rules", "grant", "pending")

    def __init__(self, rules: Ruleset, now: float) -> None:
        self._rules = rules
        self._now = now
        self.grant: Grant | None = None
        self.pending: Pending | None = None

    @property
    def shows_headers(self) -> bool:
        """Whether answers say what the rule said."""
        return self._rules.config.response_headers

    @property
    def is_audited(self) -> bool:
        """Whether refusals are recorded."""
        return self._rules.config.audit_logging

    def begin(self) -> None:
        """The next request comes; nothing was said about it yet."""
        self.grant = self.pending = None

    def admit(self, path: str, address: str) -> None:
        """Count the request, which is for ``path`` (canonical, below ``/v1/``). Raises QuotaExceeded."""
        if self._rules.exemptions.hold(path):
            return
        limiter, rules = self._rules.find(path)
        if rules is not None and rules.roles and _is_login(path):
            self.pending = Pending(path, client_of(address), limiter, rules)
        elif limiter is not None:
            self.grant = limiter.take(path, client_of(address), self._now)

    def settle(self, pending: Pending, role: str) -> Grant | None:
        """Count a login as that of ``role``, or by its path where there is no rule for the role. Raises QuotaExceeded."""
        limiter = pending.rules.roles.get(role) or pending.otherwise
        return None if limiter is None else limiter.take(pending.path, pending.client, self._now)

    def refusal_of_unread(self, error: LogicalError) -> LogicalError:
        """What to answer where a request cannot be read: it counts all the same, or broken logins would be free (row 71)."""
        pending, self.pending = self.pending, None
        if pending is not None:
            try:
                self.grant = self.settle(pending, "")
            except QuotaExceeded as exceeded:
                return exceeded
        return error


def _is_login(path: str) -> bool:
    return path.endswith(f"/{_LOGIN}") or f"/{_LOGIN}/" in path


def header_fields(grant: Grant) -> tuple[tuple[str, str], ...]:
    """What a rule said, as headers of the answer."""
    return (
        ("X-Ratelimit-Limit", str(grant.limit)),
        ("X-Ratelimit-Remaining", str(grant.remaining)),
        ("X-Ratelimit-Reset", str(grant.reset_seconds)),
    )
