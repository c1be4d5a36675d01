from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner.scorer.model import committed_model
from strongroom.scanner.scorer.vocabulary import NO_LETTERS, words

VOCABULARY = committed_model().vocabulary


def test_names_are_cut_into_words_as_their_writers_meant_them() -> None:
    assert words(b"DB_PASSWORD") == ["db", "password"]
    assert words(b"clientSecretKey2") == ["client", "secret", "key"]
    assert words(b"OAuthHTTPToken") == ["o", "auth", "http", "token"]


def test_words_of_projects_look_more_natural_than_letters_drawn_at_random() -> None:
    assert VOCABULARY.naturalness(b"connection_string") > VOCABULARY.naturalness(b"xkqvjwzp_qzxgvb")
    assert VOCABULARY.naturalness(b"12345") == NO_LETTERS


def test_coverage_is_the_share_of_letters_in_known_words() -> None:
    assert VOCABULARY.coverage(["database", "password"], 16) == 4
    assert VOCABULARY.coverage(["zqxv", "wqkj"], 8) == 0
    assert VOCABULARY.coverage([], 0) == 9


@given(st.binary(max_size=300))
def test_any_bytes_have_words_and_a_naturalness(text: bytes) -> None:
    found = words(text)
    assert all(word.isalpha() and word == word.lower() for word in found)
    assert 0 <= VOCABULARY.naturalness(text) <= NO_LETTERS
