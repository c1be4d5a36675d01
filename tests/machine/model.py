"""What a vault should hold, as plain dictionaries: the other side of every comparison. Knows nothing of how a vault works inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VERSIONS_KEPT = 10
LOCKOUT_THRESHOLD = 5
LOCKOUT_NS = 15 * 60 * 10**9
NEVER = 0


@dataclass
class Version:
    """One version of a secret. Its number is its place in the list of the secret."""

    body: dict[str, Any]
    is_deleted: bool = False
    is_destroyed: bool = False


@dataclass
class Secret:
    """A versioned secret. Versions that are not kept any more are None."""

    versions: list[Version | None] = field(default_factory=list)

    @property
    def current(self) -> int:
        return len(self.versions)

    def newest(self) -> Version | None:
        return self.versions[-1] if self.versions else None

    def add(self, body: dict[str, Any]) -> None:
        self.versions.append(Version(body))
        if len(self.versions) > VERSIONS_KEPT:
            self.versions[-VERSIONS_KEPT - 1] = None

    def readable(self, number: int) -> dict[str, Any] | None:
        """The body of a version, or None where it cannot be read."""
        version = self.versions[number - 1] if 0 < number <= len(self.versions) else None
        return None if version is None or version.is_deleted or version.is_destroyed else version.body


@dataclass
class Mount:
    """A ``kv`` mount: ``plain`` where it has no versions, ``secrets`` where it has."""

    is_versioned: bool
    description: str = ""
    plain: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)


@dataclass
class Token:
    """A token that a client holds. ``expiry_ns`` None means that the vault is to be asked: a renewal may have happened or not."""

    text: str
    policies: frozenset[str]
    expiry_ns: int | None = NEVER
    created_ns: int = 0
    explicit_max: int = 0
    uses: int | None = None
    is_batch: bool = False
    parent: str = ""
    source: str = "token"
    user: tuple[str, int] | None = None
    is_revoked: bool = False


@dataclass
class User:
    """A user. ``incarnation`` changes with the password. The number of failures lies between two bounds: what was stored, and all."""

    password: str
    policies: frozenset[str]
    incarnation: int
    failures_least: int = 0
    failures_most: int = 0
    last_failure_ns: int = 0


@dataclass
class Wrapped:
    """What an unwrapping should give, and until when."""

    token: str
    body: dict[str, Any]
    expiry_ns: int


@dataclass
class Model:
    """Everything. ``policies`` are mount names with the capabilities on all that lies below them."""

    mounts: dict[str, Mount] = field(default_factory=dict)
    policies: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    has_userpass: bool = True
    secret_ids: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Uses that are left and the instant of expiry, by secret ID."""
    wrapped: dict[str, Wrapped] = field(default_factory=dict)
    drawn: int = 0

    def is_alive(self, text: str, now_ns: int) -> bool:
        """Whether a token is good now: not revoked, not expired, and neither is any above it."""
        token = self.tokens[text]
        is_over = token.expiry_ns is not None and token.expiry_ns != NEVER and now_ns >= token.expiry_ns
        if token.is_revoked or is_over:
            return False
        return not token.parent or self.is_alive(token.parent, now_ns)

    def alive(self, now_ns: int) -> list[Token]:
        """The tokens that are good now, in the order in which they were made."""
        return [token for text, token in self.tokens.items() if self.is_alive(text, now_ns)]

    def orphan_children(self, text: str) -> None:
        """A token is revoked alone. Its children live on; batch tokens cannot, as nothing is stored of them."""
        for child in self.tokens.values():
            if child.parent == text and not child.is_batch:
                child.parent = ""
        self.tokens[text].is_revoked = True

    def capabilities(self, policies: frozenset[str], mount: str) -> frozenset[str]:
        """What these policies give below a mount."""
        given = frozenset[str]().union(*(self.policies.get(name, {}).get(mount, frozenset()) for name in policies))
        return frozenset() if "deny" in given else given

    def is_locked(self, user: User, now_ns: int) -> bool | None:
        """Whether nobody is let in; None where that depends on what was stored."""
        if now_ns >= user.last_failure_ns + LOCKOUT_NS or user.failures_most < LOCKOUT_THRESHOLD:
            return False
        return True if user.failures_least >= LOCKOUT_THRESHOLD else None


def policy_text(rules: dict[str, frozenset[str]]) -> str:
    """The policy that gives these capabilities on all that lies below these paths."""
    lines = []
    for path, given in rules.items():
        names = ", ".join(f'"{one}"' for one in sorted(given))
        lines.append(f'path "{path}/*" {{ capabilities = [{names}] }}')
    return "\n".join(lines)
