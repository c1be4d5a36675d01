"""What a gitleaks configuration allows: places, values, lines, commits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.scanner.regex import compile_regex
from strongroom.scanner.seen import Seen


@dataclass(frozen=True, slots=True)
class Allowlist:
    """One list. `target` says what its `regexes` are held against: `secret`, `match` or `text`, the lines; `is_all` that every kind of entry must agree."""

    paths: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    target: str = "secret"
    stopwords: tuple[str, ...] = ()
    commits: frozenset[str] = frozenset()
    is_all: bool = False
    rules: frozenset[str] = frozenset()
    """The rules that it is for; empty for all."""

    def allows(self, seen: Seen) -> bool:
        """Whether it allows what was seen."""
        if self.rules and seen.rule not in self.rules:
            return False
        checks = []
        if self.paths:
            checks.append(seen.has_place and _finds(self.paths, seen.path.encode()))
        if self.commits:
            checks.append(seen.commit in self.commits)
        if self.regexes:
            checks.append(_finds(self.regexes, getattr(seen, self.target)))
        if self.stopwords:
            lowered = seen.secret.lower()
            checks.append(any(word.lower().encode() in lowered for word in self.stopwords))
        return bool(checks) and (all(checks) if self.is_all else any(checks))


def _finds(patterns: Sequence[str], text: bytes) -> bool:
    return any(compile_regex(pattern).search(text) is not None for pattern in patterns)


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """As a rule's `plausible`: turns away the secrets that lists of values alone allow, before anybody sees them."""

    rule: str
    lists: tuple[Allowlist, ...]

    def __call__(self, secret: bytes) -> bool:
        """Whether `secret` is none that is allowed."""
        return not any(one.allows(Seen(self.rule, "", secret=secret)) for one in self.lists)
