"""The quotas compiled into tables, so that a request finds its one rule without looking at all of them. Immutable but for its counts.

The most specific rule alone counts: that of the role, then of the path, then the longest one with a final ``*``, then of the mount, then
the one for everything.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from strongroom.logical.errors import RateLimited
from strongroom.quotas.counts import Counts
from strongroom.quotas.rule import Config, Rule
from strongroom.quotas.window import Grant, Windows
from strongroom.telemetry.labels import QuotaScope

# Below these, names in paths mean the same in capitals: a rule must not be escaped by writing them so (SECURITY INV-2).
_FOLDED = ("auth/", "sys/")

_encode = msgspec.json.Encoder().encode


class QuotaExceeded(RateLimited):
    """A request beyond its quota. The text is the one that Vault's clients know."""

    def __init__(self, path: str, scope: QuotaScope, grant: Grant) -> None:
        super().__init__(
            f'request path "{path}": rate limit quota exceeded', retry_after_seconds=max(1, grant.retry_seconds)
        )
        self.path = path
        self.scope = scope
        self.grant = grant


@dataclass(frozen=True, slots=True)
class Limiter:
    """A rule with the counts of who asked."""

    rule: Rule
    scope: QuotaScope
    windows: Windows

    def take(self, path: str, client: str, now: float) -> Grant:
        """Count a request of ``client`` for ``path``. Raises QuotaExceeded."""
        grant = self.windows.take(client, now)
        if not grant.is_allowed:
            raise QuotaExceeded(path, self.scope, grant)
        return grant


@dataclass(slots=True)
class PathTable:
    """Texts, some of which end in ``*``: finds the one that means a path, the exact one or else the longest."""

    exact: dict[str, Limiter] = field(default_factory=dict)
    prefixes: dict[str, Limiter] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()

    def add(self, text: str, limiter: Limiter) -> None:
        """Have ``limiter`` stand for ``text``."""
        if text.endswith("*"):
            self.prefixes[text[:-1]] = limiter
            self.lengths = tuple(sorted({len(prefix) for prefix in self.prefixes}, reverse=True))
        else:
            self.exact[text] = limiter

    def find(self, path: str) -> Limiter | None:
        """What stands for ``path``."""
        found = self.exact.get(path)
        if found is not None:
            return found
        for length in self.lengths:
            found = self.prefixes.get(path[:length]) if length <= len(path) else None
            if found is not None:
                return found
        return None


@dataclass(slots=True)
class MountRules:
    """The rules of one mount. ``whole`` is the one for all of it."""

    is_folded: bool
    whole: Limiter | None = None
    paths: PathTable = field(default_factory=PathTable)
    roles: dict[str, Limiter] = field(default_factory=dict)


class Exemptions:
    """The paths that are never limited."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._exact = frozenset(path.strip("/") for path in paths if not path.endswith("*"))
        texts = (path.lstrip("/")[:-1] for path in paths if path.endswith("*"))
        self._starts = (*(f"{path}/" for path in self._exact), *texts)

    def hold(self, path: str) -> bool:
        """Whether ``path``, or something above it, is named."""
        return path in self._exact or path.startswith(self._starts)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules at one time. ``limiters`` are by the name of the quota."""

    config: Config
    limiters: Mapping[str, Limiter]
    mounts: Mapping[str, MountRules]
    overall: Limiter | None
    exemptions: Exemptions

    def find(self, path: str) -> tuple[Limiter | None, MountRules | None]:
        """The rule that a request for ``path`` counts against as far as the path tells, and the rules of its mount."""
        rules, rest = self._mount_of(path)
        if rules is None:
            return self.overall, None
        found = rules.paths.find(rest.lower() if rules.is_folded else rest)
        return found or rules.whole or self.overall, rules

    def _mount_of(self, path: str) -> tuple[MountRules | None, str]:
        at = path.find("/")
        while at != -1:
            rules = self.mounts.get(path[: at + 1])
            if rules is not None:
                return rules, path[at + 1 :]
            at = path.find("/", at + 1)
        return self.mounts.get(path + "/"), ""


def compile_rules(
    rules: Iterable[Rule], config: Config, mount_paths: Mapping[str, str], counts: Counts
) -> Ruleset | None:
    """The rules as tables, or None where there is none that can apply. ``mount_paths`` are by uuid.

    Rules of mounts that are gone are left out. Counts go on where a rule is what it was; a changed one starts afresh.
    """
    limiters: dict[str, Limiter] = {}
    mounts: dict[str, MountRules] = {}
    overall: Limiter | None = None
    for rule in rules:
        limiter = Limiter(rule, scope_of(rule), _windows_for(rule, counts))
        if not rule.mount:
            overall = limiters[rule.name] = limiter
            continue
        path = mount_paths.get(rule.mount)
        if path is not None:
            limiters[rule.name] = limiter
            _add(mounts.setdefault(path, MountRules(path.startswith(_FOLDED))), limiter)
    if not limiters:
        return None
    tables = MappingProxyType(mounts)
    return Ruleset(config, MappingProxyType(limiters), tables, overall, Exemptions(config.exempt_paths))


def scope_of(rule: Rule) -> QuotaScope:
    """What a quota is about."""
    if not rule.mount:
        return QuotaScope.GLOBAL
    if rule.role:
        return QuotaScope.ROLE
    return QuotaScope.PATH if rule.below else QuotaScope.MOUNT


def client_of(address: str) -> str:
    """As whom an address is counted: itself, or for IPv6 its /64, which one host can have whole."""
    if ":" not in address:
        return address
    try:
        return socket.inet_pton(socket.AF_INET6, address)[:8].hex()
    except OSError:
        return address


def _add(rules: MountRules, limiter: Limiter) -> None:
    rule = limiter.rule
    if rule.role:
        rules.roles[rule.role] = limiter
    elif rule.below:
        rules.paths.add(rule.below.lower() if rules.is_folded else rule.below, limiter)
    else:
        rules.whole = limiter


def _windows_for(rule: Rule, counts: Counts) -> Windows:
    return Windows(rule.limit, rule.interval, rule.block_interval, counts, _encode(rule))
