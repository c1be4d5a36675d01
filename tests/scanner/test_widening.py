"""Patterns for the wide stage match wherever those of the rules do."""

from __future__ import annotations

from random import Random

import pytest
from tests.scanner.rules.matching import compiled
from tests.scanner.rules.samples import expand

from strongroom.scanner.catalogue import ALL_RULES
from strongroom.scanner.widening import widened


@pytest.mark.parametrize(
    ("pattern", "wide"),
    [
        (b"a{0,40}b", b"a*b"),
        (b"a{1,40}b", b"a+b"),
        (b"[a-z]{20,200}", b"[a-z]{20,}"),
        (b"(?:ab){3,60}?c", b"(?:ab){3,}?c"),
        (b"a{2,8}", b"a{2,8}"),
        (b"a{30}", b"a{30}"),
        (rb"a\{0,40}", rb"a\{0,40}"),
        (b"[a{0,40}]", b"[a{0,40}]"),
        (b"[]{0,40}]", b"[]{0,40}]"),
        (b"[[:alpha:]{0,40}]{0,40}", b"[[:alpha:]{0,40}]*"),
        (rb"\Qa{0,40}\E", rb"\Qa{0,40}\E"),
        (b"a{0,40}{2}", b"a{0,40}{2}"),
    ],
)
def test_counted_repetitions_become_loops_and_nothing_else_changes(pattern: bytes, wide: bytes) -> None:
    assert widened(pattern) == wide


def test_what_a_rule_finds_its_wide_pattern_finds() -> None:
    for rule in ALL_RULES:
        wide = compiled(widened(rule.pattern.encode()).decode())
        random = Random(rule.id)
        for text in (expand(template, random).encode() for template in rule.finds):
            assert wide.search(text), (rule.id, text)
