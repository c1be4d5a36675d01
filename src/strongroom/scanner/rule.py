"""What a secret of one kind looks like, as data that proves itself.

A rule's `finds` and `ignores` are *samples*: templates that `rules/samples.py` fills with fresh random characters, so that no
string in this repository looks like anybody's secret, and so that each run of the tests tries other ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

_LONGEST_ID = 200


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
    Where the pattern has no word to wait for, `wide` is one that is quicker to find: it ends within every match, at most `ahead` bytes before its end.
    Rules that begin alike may have one `family`, a pattern that ends wherever one of theirs does, and tell their matches by their `endings`.
    A secret that fails `checksum`, `structure` or `plausible` is no finding: see there what one that passes shows.
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
    wide: str = ""
    ahead: int = 0
    family: str = ""
    endings: tuple[bytes, ...] = ()
    part: str = ""
    """The part of the automaton, where it is not that of words (see `expressions.Expression`)."""
    entropy: float = 0.0
    checksum: Callable[[bytes], bool] | None = None
    """Proof: characters of the secret are computed from its others, as only its issuer's programs and forgers do."""
    structure: Callable[[bytes], bool] | None = None
    """Nearly proof: the secret decodes to what the format says is inside."""
    plausible: Callable[[bytes], bool] | None = None
    """No proof: it turns away placeholders, words and names, and says nothing of what it lets pass."""
    pairs_with: tuple[str, ...] = field(default=())
    """Ids of the rules for the other half of a credential (key id and key), looked for nearby."""
    verifier: str = ""
    """The verifier that can ask the provider whether the secret lives, if there is one."""

    def accepts(self, secret: bytes) -> bool:
        """Whether what the pattern found passes everything else that the rule asks of the secret alone."""
        if self.entropy and entropy(secret) < self.entropy:
            return False
        for check in (self.checksum, self.structure, self.plausible):
            if check is not None and not check(secret):
                return False
        return True

    @property
    def certainty(self) -> tuple[bool, bool, bool, bool]:
        """How much a match says, for comparing with other rules about the same place: format or guess, proof, whose it is, structure."""
        is_format = self.kind is Kind.PROVIDER
        return is_format, self.checksum is not None, is_format and bool(self.provider), self.structure is not None


def is_rule_id(text: str) -> bool:
    """Whether `text` can be the id of a rule: reports show it as it is, on a line and within what their formats take."""
    return 0 < len(text) <= _LONGEST_ID and text.isprintable()


def entropy(value: bytes) -> float:
    """Shannon's entropy of the bytes of `value`, in bits for each."""
    length = len(value)
    counts = [value.count(byte) for byte in set(value)]
    return -sum(count / length * math.log2(count / length) for count in counts)
