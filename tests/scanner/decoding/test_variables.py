"""Values that scripts put together of variables, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner.decoding.variables import VARIABLES


def decoded(script: bytes) -> list[tuple[bytes, bytes]]:
    """What is made of `script`, and the bytes of it that the value is said to stand at."""
    found = []
    for one in VARIABLES.decode(script, [len(script)]):
        start, end = one.locate(len(one.data) - 2, len(one.data) - 1)
        found.append((one.data, script[start:end]))
    return found


@pytest.mark.parametrize(
    ("script", "value", "place"),
    [
        (b"set A=one\r\nset B=%a%two\r\n", b"B=onetwo\n", b"%a%two"),
        (b"A='one'; B=$A'two'\n", b"B=onetwo\n", b"$A'two'"),
        (b"A=on+e=\nB=${A}two\n", b"B=on+e=two\n", b"${A}two"),
        (b'$a = "one"\n$b = $a + "two"\n', b"b=onetwo\n", b'$a + "two"'),
        (b'const a = "one";\nlet b = `${a}two`;\n', b"b=onetwo\n", b"`${a}two`"),
        (b"A := one\nB = $(A)two\n", b"B=onetwo\n", b"$(A)two"),
    ],
)
def test_the_value_is_whole_and_stands_where_it_becomes_that(script: bytes, value: bytes, place: bytes) -> None:
    assert decoded(script) == [(value, place)]


def test_a_chain_is_followed() -> None:
    assert decoded(b"A=one\nB=${A}two\nC=${B}three\n")[-1][0] == b"C=onetwothree\n"


@pytest.mark.parametrize("script", [b"B=${HOME}two\n", b"set B=%PATH%;two\n", b"A=one\nB=two\n", b"B=$A$B\n"])
def test_what_nobody_assigned_is_left_alone(script: bytes) -> None:
    assert decoded(script) == []


def test_what_doubles_itself_line_by_line_stays_short() -> None:
    script = b"A=0123456789\n" + b"A=$A$A\n" * 1000
    assert max(len(data) for data, _ in decoded(script)) <= 520


@given(st.binary(max_size=400))
def test_any_bytes_are_taken(script: bytes) -> None:
    for one in VARIABLES.decode(b"A=x\nB=${A}" + script, [10]):
        start, end = one.locate(0, len(one.data))
        assert 0 <= start <= end <= len(script) + 10
