"""Secrets as they may be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner.reports.masking import masked, printable


def test_of_a_short_secret_nothing_is_shown() -> None:
    assert masked(b"hunter22") == "*** (8 bytes)"


def test_of_a_long_one_its_beginning_is_shown() -> None:
    assert masked(b"ghp_0123456789abcdefghij") == "ghp_*** (24 bytes)"


def test_of_a_key_its_head_is_shown() -> None:
    assert masked(b"-----BEGIN EC PRIVATE KEY-----\nMHc") == "-----BEGIN EC PRIVATE KEY-----… (34 bytes)"


def test_of_a_key_on_one_line_nothing_of_the_key_is_shown() -> None:
    assert "MHcC" not in masked(b"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEINZ8J4RQ62sq\\n-----END EC PRIVATE KEY-----")


@given(st.binary(min_size=1, max_size=200))
def test_no_more_than_four_bytes_of_any_other_secret_are_shown(value: bytes) -> None:
    if not value.startswith(b"-----BEGIN "):
        assert len(masked(value).split("*** (", maxsplit=1)[0].encode("ascii", "replace")) <= 4 * 6
        assert masked(value, redact=True) == "***"


@given(st.text())
def test_what_is_printable_has_no_controls(text: str) -> None:
    assert not [char for char in printable(text) if ord(char) < 32 or 0x7F <= ord(char) < 0xA0]
