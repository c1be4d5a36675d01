"""What all generic rules have in common."""

from __future__ import annotations

from strongroom.scanner.rule import Kind, Rule, Severity

_REVOKE = "Change it wherever it opens something, and keep the new one out of the code: read it from the environment or a vault."
NEAR = 420
"""Bytes before the end of a match in which it begins: names and values are seldom longer, and every byte of it is read twice."""


def generic(  # noqa: PLR0913 -- the fields of a rule, by name
    identifier: str,
    title: str,
    pattern: str,
    keywords: tuple[str, ...],
    samples: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    reach: int = NEAR,
    severity: Severity = Severity.MEDIUM,
    wide: str = "",
    ahead: int = 0,
    family: str = "",
    endings: tuple[bytes, ...] = (),
    part: str = "",
) -> Rule:
    """A rule whose matches only the judge can call secrets. `samples` are what it finds and what it ignores."""
    finds, ignores = samples
    return Rule(
        id=identifier,
        title=title,
        pattern=pattern,
        keywords=keywords,
        kind=Kind.GENERIC,
        severity=severity,
        revoke=_REVOKE,
        finds=finds,
        ignores=ignores,
        reach=reach,
        wide=wide,
        ahead=ahead,
        family=family,
        endings=endings,
        part=part,
    )
