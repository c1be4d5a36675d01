from __future__ import annotations

import pytest

from strongroom.scanner.rule import Kind, Rule, entropy


def _digits(secret: bytes) -> bool:
    return secret.isdigit()


def test_entropy_is_that_of_shannon() -> None:
    assert entropy(b"aaaa") == 0
    assert entropy(b"abab") == 1
    assert entropy(bytes(range(256))) == 8


@pytest.mark.parametrize(
    "rule",
    [
        Rule("proven", "", ".+", checksum=_digits),
        Rule("decoded", "", ".+", structure=_digits),
        Rule("plausible", "", ".+", plausible=_digits),
    ],
    ids=lambda rule: rule.id,
)
def test_a_secret_that_fails_any_check_of_its_rule_is_none(rule: Rule) -> None:
    assert rule.accepts(b"0123")
    assert not rule.accepts(b"abcd")


def test_a_secret_with_less_entropy_than_its_rule_asks_for_is_none() -> None:
    rule = Rule("a-rule", "A rule", ".+", entropy=1.5)
    assert rule.accepts(b"abcd")
    assert not rule.accepts(b"abab")


def test_proof_says_more_than_a_known_provider_and_that_more_than_structure_and_any_format_more_than_a_guess() -> None:
    rules = [
        Rule("proven", "", ".+", checksum=_digits),
        Rule("decoded", "", ".+", provider="Acme", structure=_digits),
        Rule("known", "", ".+", provider="Acme", plausible=_digits),
        Rule("anybody-s", "", ".+", structure=_digits),
        Rule("format", "", ".+", plausible=_digits),
        Rule("guess", "", ".+", kind=Kind.GENERIC, provider="Acme"),
    ]
    assert sorted(rules, key=lambda rule: rule.certainty, reverse=True) == rules
