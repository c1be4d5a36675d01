from __future__ import annotations

import re
import re._constants as constants  # type: ignore[import-not-found]  # typeshed leaves it out
import re._parser as parser  # type: ignore[import-not-found]  # typeshed leaves it out
from pathlib import Path
from random import Random

import hyperscan
import pytest
from tests.scanner.rules.keywords import possible_texts
from tests.scanner.rules.matching import compiled, found
from tests.scanner.rules.samples import expand

from strongroom.scanner.rule import Rule
from strongroom.scanner.rules.builtin import PROVIDER_RULES

EXPANSIONS = 20
SOURCES = Path(__file__).resolve().parents[3] / "src"
WITHOUT_KEYWORDS = {"discord-bot-token", "nkey-seed"}  # no word marks them: they are known by their shape as a whole
# Forms that every provider's secrets may stand in. A rule that knows the provider beats them.
OF_ANY_PROVIDER = {
    "access-token-assignment",
    "api-key-assignment",
    "client-secret-assignment",
    "uuid-secret-assignment",
    "file-transfer-url-password",
    "http-basic-authorization",
    "http-bearer-authorization",
    "long-secret-assignment",
    "any-url-password",
}
each_rule = pytest.mark.parametrize("rule", PROVIDER_RULES, ids=lambda rule: rule.id)


@each_rule
def test_a_rule_finds_what_it_says_it_finds(rule: Rule) -> None:
    assert len(rule.finds) >= 2
    random = Random(rule.id)
    for template in rule.finds:
        for text in (expand(template, random) for _ in range(EXPANSIONS)):
            assert len(found(rule, text.encode())) == 1, text


@each_rule
def test_a_rule_ignores_what_it_says_it_ignores(rule: Rule) -> None:
    assert len(rule.ignores) >= 2
    random = Random(rule.id)
    for template in rule.ignores:
        for text in (expand(template, random) for _ in range(EXPANSIONS)):
            assert found(rule, text.encode()) == [], text


@each_rule
def test_a_rule_finds_its_secret_in_the_middle_of_a_file(rule: Rule) -> None:
    random = Random(rule.id)
    for template in rule.finds:
        text = expand(template, random)
        assert found(rule, text.encode()) == found(rule, f"a = 1\n{text}\nb = 2\n".encode()), text


@each_rule
def test_every_text_that_a_pattern_allows_holds_a_keyword(rule: Rule) -> None:
    assert rule.keywords or rule.id in WITHOUT_KEYWORDS
    assert all(word == word.lower() for word in rule.keywords)
    texts = possible_texts(rule.pattern) if rule.keywords else ()
    without = [text for text in texts if not any(word in text for word in rule.keywords)]
    assert without == []


@each_rule
def test_a_pattern_is_read_by_re2_and_has_at_most_the_known_groups(rule: Rule) -> None:
    assert set(compiled(rule.pattern).groupindex) <= {b"secret", b"name", b"id"}


@each_rule
def test_the_reach_covers_the_longest_match(rule: Rule) -> None:
    longest = parser.parse(rule.pattern).getwidth()[1]
    is_bounded_by_its_reach_alone = longest >= constants.MAXREPEAT
    assert rule.reach > 1000 if is_bounded_by_its_reach_alone else longest <= rule.reach


def test_hyperscan_finds_with_all_patterns_together_what_each_finds_alone() -> None:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    patterns = [rule.pattern.encode() for rule in PROVIDER_RULES]
    database.compile(expressions=patterns, ids=list(range(len(patterns))), flags=[0] * len(patterns))
    missed = []
    for number, rule in enumerate(PROVIDER_RULES):
        for template in rule.finds:
            hits = scanned(database, expand(template, Random(rule.id)).encode())
            missed += [rule.id] if number not in hits else []
    assert missed == []


def scanned(database: hyperscan.Database, data: bytes) -> set[int]:
    """The numbers of the patterns that match somewhere in `data`."""
    hits: set[int] = set()
    database.scan(data, match_event_handler=lambda number, *_: hits.add(number))
    return hits


def test_ids_are_unique_and_written_alike() -> None:
    ids = [rule.id for rule in PROVIDER_RULES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", name) for name in ids)


@each_rule
def test_a_rule_says_whose_secret_it_is_and_how_to_revoke_it(rule: Rule) -> None:
    assert rule.title
    assert rule.provider or rule.id in OF_ANY_PROVIDER
    assert len(rule.revoke) > 20
    assert rule.revoke.endswith(".")


@each_rule
def test_a_pattern_is_small_enough_that_no_input_makes_it_slow(rule: Rule) -> None:
    # RE2 is linear in its input whatever the pattern: what a byte costs is bounded by the size of the program.
    assert compiled(rule.pattern).programsize < 30_000


def test_a_rule_leaves_the_ignores_of_most_others_alone() -> None:
    random = Random(1)
    texts = [expand(template, random).encode() for rule in PROVIDER_RULES for template in rule.ignores]
    greedy = {
        rule.id: hits
        for rule in PROVIDER_RULES
        if (hits := sum(bool(found(rule, text)) for text in texts)) > len(texts) / 20
    }
    assert greedy == {}


def test_there_are_at_least_three_hundred_rules() -> None:
    assert len(PROVIDER_RULES) >= 300


def test_no_rule_finds_anything_in_this_project_s_own_sources() -> None:
    texts = [path.read_bytes() for path in sorted(SOURCES.rglob("*.py"))]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    patterns = [rule.pattern.encode() for rule in PROVIDER_RULES]
    database.compile(expressions=patterns, ids=list(range(len(patterns))), flags=[0] * len(patterns))
    hits = {(PROVIDER_RULES[number], text) for text in texts for number in scanned(database, text)}
    assert {(rule.id, secret) for rule, text in hits for secret in found(rule, text)} == set()


def test_pairs_name_rules_that_exist() -> None:
    ids = {rule.id for rule in PROVIDER_RULES}
    assert {other for rule in PROVIDER_RULES for other in rule.pairs_with} <= ids
