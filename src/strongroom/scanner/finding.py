"""What a scan reports: one finding for each distinct secret, with every place where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from strongroom.scanner.rule import Rule


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a secret stands. Lines count from 1, columns from 1, in bytes of the file as it is stored.

    `commit` is the first commit that holds it there, `author_date` its date in ISO 8601, both empty outside of a history;
    `in_head` tells whether the current commit still holds it there (None: not a history).
    """

    path: str
    line: int
    end_line: int
    column: int = 0
    end_column: int = 0
    commit: str = ""
    author: str = ""
    author_date: str = ""
    in_head: bool | None = None
    layers: tuple[str, ...] = ()
    object_id: str = ""
    """The git object that holds it, where there is one."""
    feed: str = ""
    address: str = ""
    """The feed that listed it and the address that it was read from, where it was found in a public place."""


@dataclass(slots=True)
class Finding:
    """One secret, wherever it was found. `value` is shown by nothing but `--reveal`, and is not in the repr."""

    rule: Rule
    fingerprint: str
    value: bytes = field(repr=False)
    score: float
    reasons: tuple[str, ...] = ()
    occurrences: list[Occurrence] = field(default_factory=list)
    partner: bytes = field(default=b"", repr=False)
    """The other half of the credential, where one stands beside it: what a verifier needs too."""
    verification: str = ""
    """`live`, `dead` or `unknown` where it was asked for, else empty."""
