"""The page of the scanner's rules: what each finds, what proves it, who can be asked, and how to revoke what was found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from strongroom.describe.reference import escaped
from strongroom.scanner.rule import Rule
from strongroom.scanner.rules.builtin import PROVIDER_RULES

OF_ANY = "Of any provider"


def page() -> str:
    """Every rule, by provider."""
    rules = sorted(PROVIDER_RULES, key=lambda rule: (rule.provider.lower(), rule.id))
    providers = len({rule.provider for rule in rules if rule.provider})
    proven = sum(bool(proof_of(rule)) for rule in rules)
    asked = sum(bool(rule.verifier) for rule in rules)
    proof = f"{proven} prove their finds by a checksum or structure that the issuer made public"
    verified = f"of {asked} the issuer can be asked whether the secret lives (`--verify`)"
    parts = [f"{len(rules)} rules for {providers} providers. {proof}; {verified}.\n"]
    for provider, group in groupby(rules, key=lambda rule: rule.provider):
        parts.append(f"## {provider or OF_ANY}\n\n{table(tuple(group))}")
    return "\n".join(parts)


def table(rules: Sequence[Rule]) -> str:
    """Rules of one provider."""
    lines = ["| rule | finds | severity | proof | asked | how to revoke it |", "|---|---|---|---|---|---|"]
    for rule in rules:
        cells = (f"`{rule.id}`", rule.title, rule.severity.value, proof_of(rule), rule.verifier, rule.revoke)
        lines.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
    return "\n".join([*lines, ""])


def proof_of(rule: Rule) -> str:
    """By what the secret itself proves that it was issued; empty if it does not."""
    if rule.checksum is not None:
        return "checksum"
    return "structure" if rule.structure is not None else ""
