from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.http.codec import FORM_BYTES_MAX, decode_request
from strongroom.http.message import HttpRequest
from strongroom.http.target import parse_query
from strongroom.logical.errors import InvalidRequest, TooLarge
from strongroom.logical.request import Connection


def form(body: bytes) -> dict[str, object]:
    """What a form of a write says."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return dict(decode_request(HttpRequest("POST", "/v1/a", headers, body, Connection()), request_id="id").body)


def test_a_form_that_is_too_large_is_refused() -> None:
    assert form(b"a=" + b"x" * (FORM_BYTES_MAX - 2)) == {"a": "x" * (FORM_BYTES_MAX - 2)}
    with pytest.raises(TooLarge):
        form(b"a=" + b"x" * (FORM_BYTES_MAX - 1))


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
def test_a_form_says_what_was_encoded(members: dict[str, str]) -> None:
    members = {name: value for name, value in members.items() if "\x00" not in name + value}
    assert form(urlencode(members).encode()) == members


@given(st.text(st.sampled_from("%\\4aFxuN{}0é"), max_size=12))
def test_percent_encoding_means_what_the_standard_library_takes_it_for(text: str) -> None:
    try:
        decoded = parse_query(f"a={text}")["a"]
    except InvalidRequest:
        well_formed = re.fullmatch("(?:[^%]|%[0-9A-Fa-f]{2})*", text)
        assert not well_formed or b"\0" in unquote_to_bytes(text) or not is_utf8(unquote_to_bytes(text))
    else:
        assert decoded == unquote_to_bytes(text).decode()


def is_utf8(content: bytes) -> bool:
    """Whether it is text."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
