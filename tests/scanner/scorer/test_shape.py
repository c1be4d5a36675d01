from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner.scorer.shape import classes, form, signs, skeleton


def test_a_skeleton_keeps_the_rhythm_and_drops_the_letters() -> None:
    assert classes(b"Ab3-x") == b"Aa0-a"
    assert skeleton(b"Abc33-xyz") == "Aa0-a"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"${PASSWORD}", "template"),
        (b"<your key>", "template"),
        (b"12345", "number"),
        (b"API_TOKEN", "constant"),
        (b"reset_password", "snake"),
        (b"getToken", "camel"),
        (b"d41d8cd98f00b204e9800998ecf8427e", "hash"),
        (b"config.auth.token", "member"),
        (b"/etc/ssl/server.key", "file"),
        (b"https://login.example/token", "url"),
        (b"sommer2019", "word-digits"),
        (b"Sommer2019!", "word-digits-sign"),
        (b"\x00\xff", "other"),
    ],
)
def test_well_known_forms_are_named(value: bytes, expected: str) -> None:
    assert form(value) == expected


def test_signs_of_placeholders_and_text_are_seen_within_a_value() -> None:
    assert "masked" in signs(b"abc****def")
    assert "phrase" in signs(b"Enter your password")
    assert signs(b"xxxxxxxx") == ["masked"]
    assert signs(b"k3Vq9sZt") == []


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_have_a_form_and_a_skeleton(value: bytes) -> None:
    assert form(value)
    assert 0 < len(skeleton(value)) <= len(value)
    assert len(signs(value)) == len(set(signs(value)))
