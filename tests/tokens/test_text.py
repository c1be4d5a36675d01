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
    time_in_accessor,
    time_in_token,
)

LETTERS = set(string.ascii_letters + string.digits)


NOW = 1_790_000_000_000_000_000


def test_a_service_token_is_a_prefix_and_40_letters() -> None:
    token = new_service_token(SeededEntropy(), NOW)
    assert token.startswith(SERVICE_PREFIX)
    assert len(token) == 44
    assert set(token.removeprefix(SERVICE_PREFIX)) <= LETTERS


def test_a_root_token_is_28_characters_long_because_the_pads_of_clients_are() -> None:
    token = new_root_token(SeededEntropy())
    assert len(token) == ROOT_LENGTH == 28
    assert token.startswith(SERVICE_PREFIX)


def test_an_accessor_has_30_letters_and_cannot_be_taken_for_a_token() -> None:
    accessor = new_accessor(SeededEntropy(), NOW)
    assert len(accessor) == 30
    assert set(accessor) <= LETTERS


@given(st.lists(st.integers(min_value=NOW, max_value=2 * NOW), min_size=2, max_size=2))
def test_what_was_made_later_comes_later_in_the_order_of_its_time(instants: list[int]) -> None:
    first, second = sorted(instants)
    entropy = SeededEntropy()
    assert time_in_token(new_service_token(entropy, first)) <= time_in_token(new_service_token(entropy, second))
    assert time_in_accessor(new_accessor(entropy, first)) <= time_in_accessor(new_accessor(entropy, second))


def test_the_time_is_told_in_steps_of_67_milliseconds_and_is_the_same_for_a_token_and_its_accessor() -> None:
    entropy = SeededEntropy()
    time = time_in_token(new_service_token(entropy, NOW))
    assert len(time) == 6
    assert time_in_accessor(new_accessor(entropy, NOW)) == time
    assert time_in_token(new_service_token(entropy, NOW + 68_000_000)) > time


@pytest.mark.parametrize(
    "token",
    ["", "srs.", new_root_token(SeededEntropy()), "srs." + "a" * 34, "srs." + "a/" * 20, "srs." + "é" * 40, "x" * 44],
    ids=ascii,
)
def test_a_token_of_another_form_has_no_time(token: str) -> None:
    assert time_in_token(token) == ""


@pytest.mark.parametrize("accessor", ["", "a" * 24, "a" * 29 + "/", "\0" * 30, "a" * 31], ids=ascii)
def test_an_accessor_of_another_form_has_no_time(accessor: str) -> None:
    assert time_in_accessor(accessor) == ""


def test_no_two_tokens_are_alike() -> None:
    entropy = SeededEntropy()
    made = {new_service_token(entropy, NOW) for _ in range(500)} | {new_root_token(entropy) for _ in range(500)}
    assert len(made) == 1000


@given(st.text(min_size=1))
def test_every_token_of_ours_has_a_valid_checksum(seed: str) -> None:
    assert has_valid_checksum(new_service_token(SeededEntropy(seed), NOW))
    assert has_valid_checksum(new_root_token(SeededEntropy(seed)))


@given(st.integers(min_value=0, max_value=43), st.sampled_from(sorted(LETTERS)))
def test_one_changed_letter_breaks_the_checksum(at: int, letter: str) -> None:
    token = new_service_token(SeededEntropy(), NOW)
    changed = token[:at] + letter + token[at + 1 :]
    assert has_valid_checksum(changed) is (changed == token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "srs.",
        "srs." + "a" * 34,
        "srs." + "a" * 40,
        "hvs." + "a" * 24,
        "s." + "a" * 24,
        BATCH_PREFIX + "a" * 34,
        new_service_token(SeededEntropy(), NOW) + "x",
        new_service_token(SeededEntropy(), NOW)[:-1],
        " " + new_service_token(SeededEntropy(), NOW),
        "srs." + "ſ" * 34,
    ],
)
def test_what_is_no_token_of_ours_has_no_valid_checksum(text: str) -> None:
    assert not has_valid_checksum(text)
