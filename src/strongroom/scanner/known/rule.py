"""The rule under which a known value is reported. It has no pattern: what finds it is the value itself."""

from __future__ import annotations

from strongroom.scanner.rule import Rule, Severity

KNOWN_VALUE = Rule(
    "known-value",
    "Known secret",
    pattern="",
    severity=Severity.CRITICAL,
    provider="Strongroom",
    revoke="Rotate it where it is stored and where it is used, then make the old value worthless.",
)
"""What `-known` finds. It stands in no catalogue of rules, since nothing but `-known` looks for it."""
