"""Recall on what people really write, which the training data does not show: its true values are random letters.

The bars are shares, not single cases: a linear judge errs, and is made anew when rules change.
"""

from __future__ import annotations

from random import Random

import pytest
from tests.scanner.scorer.in_life import FALSE_FRIENDS, SECRETS, filled

from strongroom.scanner.automaton import load_automaton
from strongroom.scanner.catalogue import ALL_RULES
from strongroom.scanner.examine import Examiner, Plan
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.levels import THRESHOLDS, Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.scorer.judge import standard_judge

LEAST_FOUND = 0.9
MOST_FALSE = 0.05


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    """All rules and the judge, at the default level."""
    plan = Plan(ALL_RULES, THRESHOLDS[Level.DEFAULT], judge=standard_judge())
    problems: list[Problem] = []
    return Examiner(plan, load_automaton(plan.expressions(), None, print), problems.append)


def is_reported(examiner: Examiner, path: str, text: str) -> bool:
    """Whether something within the marked values is reported."""
    data, spans = filled(text, Random(path + text))
    values = [data[start:end] for start, end in spans]
    found = [hit.value for hit in examiner.examine(Fragment(path, data))]
    return any(value in one or one in value for value in values for one in found)


def test_weak_passwords_and_tokens_of_no_format_are_found_in_real_files(examiner: Examiner) -> None:
    missed = [(path, text) for path, text in SECRETS if not is_reported(examiner, path, text)]
    assert len(missed) <= (1 - LEAST_FOUND) * len(SECRETS), missed


def test_expressions_labels_and_placeholders_are_left_alone(examiner: Examiner) -> None:
    false = [(path, text) for path, text in FALSE_FRIENDS if is_reported(examiner, path, text)]
    assert len(false) <= MOST_FALSE * len(FALSE_FRIENDS), false
