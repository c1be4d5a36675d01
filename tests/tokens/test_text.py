from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit import SeededEntropy

from strongroom.tokens.text import (
    BATCH_PREFIX,
    ROOT_LENGTH,
    SERVICE_PREFIX,
    has_valid_checksum,
    new_accessor,
    new_root_token,
    new_service_token,
)

LETTERS = set(string.ascii_letters + string.digits)


def test_a_service_token_is_a_prefix_and_34_letters() -> None:
    token = new_service_token(SeededEntropy())
    assert token.startswith(SERVICE_PREFIX)
    assert len(token) == 38
    assert set(token.removeprefix(SERVICE_PREFIX)) <= LETTERS


def test_a_root_token_is_28_characters_long_because_the_pads_of_clients_are() -> None:
    token = new_root_token(SeededEntropy())
    assert len(token) == ROOT_LENGTH == 28
    assert token.startswith(SERVICE_PREFIX)


def test_an_accessor_has_24_letters_and_cannot_be_taken_for_a_token() -> None:
    accessor = new_accessor(SeededEntropy())
    assert len(accessor) == 24
    assert set(accessor) <= LETTERS


def test_no_two_tokens_are_alike() -> None:
    entropy = SeededEntropy()
    made = {new_service_token(entropy) for _ in range(500)} | {new_root_token(entropy) for _ in range(500)}
    assert len(made) == 1000


@given(st.text(min_size=1))
def test_every_token_of_ours_has_a_valid_checksum(seed: str) -> None:
    assert has_valid_checksum(new_service_token(SeededEntropy(seed)))
    assert has_valid_checksum(new_root_token(SeededEntropy(seed)))


@given(st.integers(min_value=0, max_value=37), st.sampled_from(sorted(LETTERS)))
def test_one_changed_letter_breaks_the_checksum(at: int, letter: str) -> None:
    token = new_service_token(SeededEntropy())
    changed = token[:at] + letter + token[at + 1 :]
    assert has_valid_checksum(changed) is (changed == token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "srs.",
        "srs." + "a" * 34,
        "hvs." + "a" * 24,
        "s." + "a" * 24,
        BATCH_PREFIX + "a" * 34,
        new_service_token(SeededEntropy()) + "x",
        new_service_token(SeededEntropy())[:-1],
        " " + new_service_token(SeededEntropy()),
        "srs." + "ſ" * 34,
    ],
)
def test_what_is_no_token_of_ours_has_no_valid_checksum(text: str) -> None:
    assert not has_valid_checksum(text)
