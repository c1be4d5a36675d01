from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.delivery.template import BadTemplate, Hole, fill, pieces


def filled(text: str, value: str = 'it\'s "5"\n') -> str:
    return fill(pieces(text), lambda _: value)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a {{ sr:///x#k }} b", "a V b"),
        ("{{sr://dev/x#k}}{{ sr:///x#k }}", "VV"),
        ("{{- sr:///x#k -}}", "V"),
        ("A=sr:///x#k\nB=2", "A=V\nB=2"),
        ("a: sr:///x#k", "a: V"),
        ("a: \"sr:///x#k\", b: 'sr:///x#k'", "a: \"V\", b: 'V'"),
        ("{{ .Values.a }} {{ b#c }} sr:///x#k", "{{ .Values.a }} {{ b#c }} V"),
        ("nothing", "nothing"),
        ("", ""),
    ],
)
def test_references_are_filled_and_all_else_stays(text: str, result: str) -> None:
    assert filled(text, "V") == result


def test_a_value_can_be_written_in_other_forms() -> None:
    assert filled("{{ sr:///x#k | json }}") == '"it\'s \\"5\\"\\n"'
    assert filled("{{ sr:///x#k|base64 }}") == "aXQncyAiNSIK"
    assert filled("{{ sr:///x#k | shell }}") == "'it'\\''s \"5\"\n'"


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert filled("{{ sr:///x#k }}", "{{ sr:///y#k }}") == "{{ sr:///y#k }}"


@pytest.mark.parametrize(
    "text",
    [
        *("xsr:///x#k", "\n(sr:///x#k)", "{{ sr:///x#k }", "{{ sr:///x#k | rot13 }}", "sr:///x", "{{ sr:///x }}"),
        *("{{ sr://A/x#k }}", "{{ sr:///x#k | json | json }}"),
    ],
)
def test_a_reference_that_cannot_be_filled_is_an_error_with_its_line(text: str) -> None:
    with pytest.raises(BadTemplate, match=r"line \d:"):
        pieces(text)


@given(st.lists(st.sampled_from(["{{", "}}", " ", "sr:///x#k", "\n", "|", "json", "'", "text", "sr://"])).map("".join))
def test_no_reference_is_left_unfilled(text: str) -> None:
    try:
        parts = pieces(text)
    except BadTemplate:
        return
    assert "sr://" not in fill(parts, lambda _: "V")
    assert all(part.reference.key for part in parts if isinstance(part, Hole))
