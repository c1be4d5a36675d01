"""Recall on what people really write, which the training data does not show: its true values are random letters.

The bars are shares, not single cases: a linear judge errs, and is made anew when rules change.
"""

from __future__ import annotations

from random import Random

from tests.scanner.rules.matching import compiled
from tests.scanner.scorer.in_life import FALSE_FRIENDS, SECRETS, filled

from strongroom.scanner.candidate import Candidate
from strongroom.scanner.generic.catalogue import GENERIC_RULES
from strongroom.scanner.scorer.judge import standard_judge

LEAST_FOUND = 0.9
MOST_FALSE = 0.05
REPORTED = 0.5


def is_reported(path: str, text: str) -> bool:
    """Whether any generic rule with the judge reports something within the marked values."""
    judge = standard_judge()
    data, spans = filled(text, Random(path + text))
    for rule in GENERIC_RULES:
        pattern = compiled(rule.pattern)
        secret, name = pattern.groupindex[b"secret"], pattern.groupindex.get(b"name")
        for match in pattern.finditer(data):
            start, end = match.span(secret)
            candidate = Candidate(rule, path, data, start, end, match[name] if name else b"")
            marked = any(start < last and end > first for first, last in spans)
            if marked and judge.judge(candidate).score >= REPORTED:
                return True
    return False


def test_weak_passwords_and_tokens_of_no_format_are_found_in_real_files() -> None:
    missed = [(path, text) for path, text in SECRETS if not is_reported(path, text)]
    assert len(missed) <= (1 - LEAST_FOUND) * len(SECRETS), missed


def test_expressions_labels_and_placeholders_are_left_alone() -> None:
    false = [(path, text) for path, text in FALSE_FRIENDS if is_reported(path, text)]
    assert len(false) <= MOST_FALSE * len(FALSE_FRIENDS), false
