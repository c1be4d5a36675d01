"""What a secret of one kind looks like, as data that proves itself.

A rule's `finds` and `ignores` are *samples*: templates that `rules/samples.py` fills with fresh random characters, so that no
string in this repository looks like anybody's secret, and so that each run of the tests tries other ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class Severity(Enum):
    """What whoever holds a secret of this kind can do."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Kind(Enum):
    """How much a match of a rule says by itself."""

    PROVIDER = "provider"
    """A format of one provider: prefix and alphabet, often a checksum. Reported at every level."""
    GENERIC = "generic"
    """An assignment, a header, a URL: only the scorer can tell whether its value is a secret."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    `pattern` is in RE2's syntax, over bytes. Its group `secret` is what is reported (the whole match where there is none); the groups
    `name` and `id` are read where they exist: the variable that is assigned, and the public half of a pair. `keywords` are
    lower-case; a fragment without any of them cannot match (empty: no such word). `reach` is how many bytes before the end of a match it may begin, at most.
    `checksum` tells from the secret alone whether it was issued: a secret that fails it is no finding.
    """

    id: str
    title: str
    pattern: str
    keywords: tuple[str, ...] = ()
    kind: Kind = Kind.PROVIDER
    severity: Severity = Severity.HIGH
    provider: str = ""
    revoke: str = ""
    finds: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()
    reach: int = 512
    entropy: float = 0.0
    checksum: Callable[[bytes], bool] | None = None
    pairs_with: tuple[str, ...] = field(default=())
    """Ids of the rules for the other half of a credential (key id and key), looked for nearby."""
    verifier: str = ""
    """The verifier that can ask the provider whether the secret lives, if there is one."""
