from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.delivery.reference import BadReference, Reference, is_reference, parse

TEXTS = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=12)
SEGMENTS = TEXTS.filter(lambda text: "/" not in text and text not in {".", ".."})
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
NAMES = st.from_regex(r"[a-z0-9_-]{0,12}", fullmatch=True)
REFERENCES = st.builds(Reference, NAMES, PATHS, TEXTS | st.just(""), st.integers(0, 10**12))


@given(REFERENCES)
def test_what_is_written_is_what_is_read(reference: Reference) -> None:
    assert parse(str(reference)) == reference


@given(REFERENCES)
def test_a_written_reference_has_no_character_that_a_file_could_stumble_on(reference: Reference) -> None:
    written = str(reference)
    assert written.isascii()
    assert not set(" \t\n\"'`\\<>{}|") & set(written)
    assert is_reference(written)


@given(st.text(max_size=40) | st.text("sr:/#?%=. 0aé\n", max_size=40).map("sr://".__add__))
def test_any_text_is_a_reference_or_an_error_that_does_not_repeat_it(text: str) -> None:
    told = ""
    try:
        parse(text)
    except BadReference as error:
        told = str(error)
    assert len(text) < 12 or text not in told


def test_a_path_of_the_server_stands_before_its_key() -> None:
    assert parse("secret/app#DB_PASSWORD") == Reference(None, "secret/app", "DB_PASSWORD")
    assert str(parse("secret/app#DB_PASSWORD")) == "secret/app#DB_PASSWORD"


def test_the_environment_in_use_has_no_name() -> None:
    assert parse("sr:///app#A") == Reference("", "app", "A")


def test_a_whole_secret_and_an_old_version_can_be_meant() -> None:
    assert parse("sr://dev/a/b") == Reference("dev", "a/b")
    assert parse("sr://dev/a?version=3#K") == Reference("dev", "a", "K", 3)


def test_what_is_percent_encoded_is_text() -> None:
    assert parse("sr://dev/my%20app/%C3%A9#a%23b") == Reference("dev", "my app/é", "a#b")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "sr://",
            "sr://dev",
            "sr://dev/",
            "sr:///",
            "sr://dev//a",
            "sr://dev/a/",
            "sr://dev/./a",
            "sr://dev/../b#K",
        ),
        *("sr://dev/%2e%2e/b#K", "sr://Dev/a#K", "sr://d e/a#K", "sr://dev/a#", "sr://dev/a b#K", "sr://dev/a?v=1#K"),
        *(
            "sr://dev/a?version=0#K",
            "sr://dev/a?version=x#K",
            "sr://dev/a?version=٣#K",
            "sr://dev/a%2#K",
            "sr://dev/a%zz#K",
        ),
        *("sr://dev/a%00#K", "sr://dev/a%ff#K", "sr://dev/é#K", "sr://" + "d" * 65 + "/a#K", "sr://dev/" + "a" * 2050),
        *("../etc#K", "a//b#K", "#K"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        parse(text)
