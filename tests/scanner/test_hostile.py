"""Bytes that are made to cost much cost in proportion to their length: for every rule, every decoder, and what stands in no file by chance."""

from __future__ import annotations

import pytest

from bench.hostile import MOST_GROWTH, RUNS, SIZE, is_worse_than_linear, units_for, work_for, worker
from strongroom.scanner.catalogue import ALL_RULES
from strongroom.scanner.examine import Examiner

LONG = 256 * 1024
SMALL = 8 * 1024


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return worker()


def test_runs_and_nestings_cost_no_more_than_linear_work(examiner: Examiner) -> None:
    assert [unit for unit in RUNS if is_worse_than_linear(examiner, unit)] == []


def test_words_and_near_misses_of_each_rule_cost_no_more_than_linear_work(examiner: Examiner) -> None:
    tried = {list(units_for(rule))[-1]: max(SMALL, 4 * rule.reach) for rule in ALL_RULES if list(units_for(rule))}

    assert len(tried) > 300
    # In few segments the last one, which is shorter, weighs much: what grows too fast does so in many as well.
    suspects = {unit: size for unit, size in tried.items() if is_worse_than_linear(examiner, unit, size)}
    assert [unit for unit, size in suspects.items() if is_worse_than_linear(examiner, unit, 4 * size)] == []


@pytest.mark.parametrize("unit", [b"token=a", b'password="', b"A", b"QUFB", b"\\u0041"])
def test_one_long_line_costs_no_more_than_many_short_ones_of_its_length(examiner: Examiner, unit: bytes) -> None:
    once = work_for(examiner, unit * (LONG // len(unit)))
    twice = work_for(examiner, unit * (2 * LONG // len(unit)))

    assert all(more <= MOST_GROWTH * less + SIZE for less, more in zip(once, twice, strict=True))


def test_what_grows_with_the_square_would_be_noticed(examiner: Examiner, monkeypatch: pytest.MonkeyPatch) -> None:
    confirmer = examiner.confirmer
    matches = confirmer.matches

    def squared(number: int, data: bytes, *rest: object) -> object:
        confirmer.searched_bytes += len(data) ** 2 // 64
        return matches(number, data, *rest)  # type: ignore[arg-type]  # the same as were given

    monkeypatch.setattr(confirmer, "matches", squared)

    assert is_worse_than_linear(examiner, b'password="')
