"""What is a name of a policy, and what reads as root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logical.policy_name import CHARACTERS_MAX, in_small_letters, is_well_formed, spells_root


@pytest.mark.parametrize("name", ["a", "team/app", "a.b@c:d-e_f", "x" * CHARACTERS_MAX, "0", "..a"])
def test_names_of_the_alphabet_are_well_formed(name: str) -> None:
    assert is_well_formed(name)


@pytest.mark.parametrize(
    "name",
    ["", "A", " a", "a ", "a//b", "/a", "a/", ".", "..", "a/../b", "ä", "a\n", "a\0", "x" * (CHARACTERS_MAX + 1)],
)
def test_other_names_are_not(name: str) -> None:
    assert not is_well_formed(name)


@pytest.mark.parametrize("name", ["root", "ROOT", " root\t", "ｒｏｏｔ", "\u2003Root"])
def test_root_is_known_in_every_spelling(name: str) -> None:
    assert spells_root(name)
    assert not spells_root(name + "s")


@given(st.text(max_size=20))
def test_small_letters_are_the_same_a_second_time_and_fold_no_foreign_letter(name: str) -> None:
    small = in_small_letters(name)
    assert in_small_letters(small) == small
    assert name.strip().isascii() or small == name.strip()
