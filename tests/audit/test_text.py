from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.scene import FakeClock

from strongroom.audit.text import REFUSED_PATH_LENGTH_MAX, Stamp, line_of, refused_path

HOSTILE = [
    "\n",
    "\r\n",
    "\x00",
    "\x1b[31mred",
    "\x7f",
    "\u0085",
    "\u009b31m",
    "\u2028",
    "\u2029",
    "\u202e",
    "\ufeff",
    "🔑",
]
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_character_is_escaped_in_values_and_names(text: str) -> None:
    line = line_of({text: [text]})
    assert line.isascii()
    assert line.decode().isprintable()
    assert json.loads(line) == {text: [text]}


@given(JSON_VALUES)
def test_a_line_is_printable_ascii_and_says_what_went_in(value: Any) -> None:
    line = line_of(value).decode("ascii")
    assert line.isprintable()
    assert json.loads(line) == value


def test_a_lone_surrogate_is_replaced_and_does_not_stop_the_record() -> None:
    assert json.loads(line_of({"a\ud800": ["\udfff", 1, None]})) == {"a?": ["?", 1, None]}


@given(st.text())
def test_a_refused_path_is_harmless_and_short(path: str) -> None:
    shown = refused_path(path)
    assert len(shown) <= REFUSED_PATH_LENGTH_MAX
    assert shown.isascii()
    assert not set(shown) & set('"\\\n\r <>{}\x1b\x7f')


def test_a_refused_path_can_still_be_recognised() -> None:
    assert refused_path("secret/../x\n") == "secret/../x%0A"


def test_times_have_nanoseconds_and_pass_from_second_to_second() -> None:
    clock = FakeClock()
    stamp = Stamp(clock)
    assert stamp.now() == "2026-09-21T14:13:20.123456789Z"
    clock.at_ns += 5
    assert stamp.now() == "2026-09-21T14:13:20.123456794Z"
    clock.at_ns += 1_000_000_000
    assert stamp.now() == "2026-09-21T14:13:21.123456794Z"
    clock.at_ns -= 2_000_000_000
    assert stamp.now() == "2026-09-21T14:13:19.123456794Z"
