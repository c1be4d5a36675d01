"""The exact stage: its work is bounded by the bytes, whatever they are. Work is counted, not timed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from tests.scanner.conftest import GUESS, TOKEN

from strongroom.scanner.assembly import Wanted, assemble
from strongroom.scanner.confirm import SEGMENT
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.levels import Level
from strongroom.scanner.rule import Kind, Rule
from strongroom.scanner.rules.builtin import PROVIDER_RULES

SIZE = 256 * 1024
NESTED = b'password="' * 4
HOSTILE = {
    "one letter": b"A",
    "spaces": b" ",
    "quotes": b'"',
    "single quotes": b"'",
    "equals signs": b"=",
    "assignments without an end": NESTED,
    "line breaks": b"\n",
    "dots": b"a.",
    "dashes": b"-",
    "pem heads": b"-----BEGIN PRIVATE KEY-----\n",
    "prefixes": b"ttt_AKIAghp_sk_live_xoxb-eyJ",
    "colons": b"https://a:",
    "zeros": b"\0",
}


Work = Callable[[bytes, tuple[Rule, ...]], tuple[int, int]]


@pytest.fixture(scope="module")
def work_for(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """How many searches, and how many bytes searched, an examination takes."""
    cache = tmp_path_factory.mktemp("automata")
    return lambda data, rules: _work(data, rules, cache)


def _work(data: bytes, rules: tuple[Rule, ...], cache: Path) -> tuple[int, int]:
    examiner = assemble(Wanted(rules, level=Level.ALL, cache=cache), [], print).examiner
    examiner.examine(Fragment("hostile", data))
    return examiner.confirmer.searches, examiner.confirmer.searched_bytes


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_grows_with_the_bytes_and_not_faster(work_for: Work, name: str) -> None:
    unit = HOSTILE[name]
    rules = (TOKEN, GUESS, *PROVIDER_RULES)
    work = [work_for(unit * (size // len(unit)), rules) for size in (SIZE, 2 * SIZE)]

    for (searches, searched), (more_searches, more_searched) in pairwise(work):
        assert more_searches <= 2.2 * searches + 50
        assert more_searched <= 2.2 * searched + 100_000


@pytest.mark.parametrize("name", HOSTILE)
def test_no_rule_reads_more_than_its_reach_for_each_search(work_for: Work, name: str) -> None:
    unit = HOSTILE[name]
    data = unit * (SIZE // len(unit))
    longest = max(rule.reach for rule in PROVIDER_RULES)
    searches, searched = work_for(data, PROVIDER_RULES)

    assert searched <= searches * (SEGMENT + longest)


def test_a_pattern_without_an_end_is_cut_by_its_reach(work_for: Work) -> None:
    greedy = Rule("greedy", "Greedy", r"x(?P<secret>[^!]*!)?", kind=Kind.PROVIDER, reach=300)
    searches, searched = work_for(b"x" * 20_000, (greedy,))

    assert searches <= 20_010
    assert searched <= searches * (SEGMENT + 300)


def test_a_flood_of_events_takes_memory_for_bytes_and_not_for_events() -> None:
    flooding = tuple(Rule(f"flood-{number}", "Flood", "[a-z]{8,200}", reach=256) for number in range(20))
    examiner = assemble(Wanted(flooding, level=Level.ALL), [], print).examiner

    assert len(examiner.automaton.scan(b"a" * SIZE)) <= 20 * (SIZE // 256 + 1)
