from __future__ import annotations

from random import Random

import hyperscan
import pytest
from tests.scanner.rules.matching import compiled, found
from tests.scanner.rules.samples import expand

from strongroom.scanner.generic.catalogue import GENERIC_RULES
from strongroom.scanner.rule import Kind, Rule
from strongroom.scanner.rules.builtin import PROVIDER_RULES

EXPANSIONS = 20
each_rule = pytest.mark.parametrize("rule", GENERIC_RULES, ids=lambda rule: rule.id)


@each_rule
def test_a_generic_rule_finds_what_it_says_it_finds(rule: Rule) -> None:
    assert len(rule.finds) >= 2
    random = Random(rule.id)
    for template in rule.finds:
        for text in (expand(template, random) for _ in range(EXPANSIONS)):
            assert found(rule, text.encode()), text


@each_rule
def test_a_generic_rule_ignores_what_it_says_it_ignores(rule: Rule) -> None:
    assert len(rule.ignores) >= 2
    random = Random(rule.id)
    for template in rule.ignores:
        for text in (expand(template, random) for _ in range(EXPANSIONS)):
            assert found(rule, text.encode()) == [], text


@each_rule
def test_a_match_begins_within_the_reach_of_its_rule(rule: Rule) -> None:
    random = Random(rule.id)
    for template in rule.finds:
        text = expand(template, random).encode()
        assert all(match.end() - match.start() <= rule.reach for match in compiled(rule.pattern).finditer(text)), text


@each_rule
def test_what_a_rule_finds_holds_one_of_its_keywords(rule: Rule) -> None:
    random = Random(rule.id)
    for template in rule.finds:
        text = expand(template, random).encode()
        for match in compiled(rule.pattern).finditer(text):
            assert not rule.keywords or any(word.encode() in match[0].lower() for word in rule.keywords), text


@each_rule
def test_the_automaton_takes_the_pattern_of_a_generic_rule(rule: Rule) -> None:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[rule.pattern.encode("ascii")], ids=[0], flags=[0])


def test_generic_rules_are_told_apart_from_each_other_and_from_those_of_providers() -> None:
    ids = [rule.id for rule in (*GENERIC_RULES, *PROVIDER_RULES)]
    assert len(ids) == len(set(ids))
    assert {rule.kind for rule in GENERIC_RULES} == {Kind.GENERIC}
    assert all(rule.title and rule.revoke for rule in GENERIC_RULES)
