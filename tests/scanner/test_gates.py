"""What the wide stage waits for before it looks for whole parts of its expressions, and what decoders wait for."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.scanner.automaton import load_automaton
from strongroom.scanner.catalogue import ALL_RULES
from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.decoding.radix import BASE64
from strongroom.scanner.examine import Plan
from strongroom.scanner.expressions import CAPITALS, DECODER_SHIFT, GATES, HEXADECIMAL, Expression, by_expression

GATED = [expression for expression in Plan(ALL_RULES, {}, DECODERS).expressions() if expression.part in GATES]
PRINTABLE_AND_ZERO = st.lists(st.sampled_from([*b"\0\t\n\r", *range(32, 127)]), min_size=21, max_size=60).map(bytes)


def numbers_seen(expressions: list[Expression], data: bytes) -> set[int]:
    events = load_automaton(expressions, None, print).scan(data)
    return set(by_expression(events, [expression.shift for expression in expressions], {}))


def test_each_gate_has_expressions_behind_it() -> None:
    assert {expression.part for expression in GATED} == set(GATES)


@pytest.mark.parametrize("expression", GATED, ids=lambda expression: expression.pattern.decode()[:40])
def test_whatever_an_expression_matches_holds_the_gate_of_its_part(expression: Expression) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.from_regex(expression.pattern.replace(rb"\z", rb"\Z"), fullmatch=True))
    def holds(match: bytes) -> None:
        assert re.search(GATES[expression.part], match)

    holds()


def test_what_is_behind_a_gate_is_seen_where_the_gate_is_and_beside_what_has_none() -> None:
    expressions = [
        Expression(b"plain", 0),
        Expression(b"[A-Z2-7]{20}", 0, part=CAPITALS),
        Expression(b"x[0-9a-f]{32}", 0, part=HEXADECIMAL),
        Expression(b"y[0-9a-f]{32}", 0, part=HEXADECIMAL),
    ]

    assert numbers_seen(expressions, b"plain" + b"A" * 16) == {0}
    assert numbers_seen(expressions, b"A" * 20) == {1}
    assert numbers_seen(expressions, b"plain y" + b"0f" * 16) == {0, 3}
    assert numbers_seen(expressions, b"plain y" + b"0f" * 16 + b"A" * 20 + b" x" + b"a1" * 16) == {0, 1, 2, 3}


@given(PRINTABLE_AND_ZERO, st.binary(max_size=5))
def test_base64_of_text_is_seen_whatever_precedes_it(text: bytes, before: bytes) -> None:
    # What precedes the text is whole groups of three bytes: its letters are not those of the text.
    before = before[: len(before) // 3 * 3]

    assert re.search(BASE64.gate, base64.b64encode(before + text))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_base64_of_what_people_write_is_seen(encoding: str) -> None:
    assert numbers_seen(
        [Expression(BASE64.gate, DECODER_SHIFT)], base64.b64encode("somebody\0a password 12".encode(encoding))
    )


def test_a_long_run_of_one_letter_is_no_text_in_base64() -> None:
    assert not re.search(BASE64.gate, b"B" * 400)
    assert not re.search(BASE64.gate, base64.b64encode(bytes([1, 4, 8, 4]) * 60))
