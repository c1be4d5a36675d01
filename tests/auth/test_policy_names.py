from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.auth.policy_names import check_policy_names
from strongroom.logical.errors import InvalidRequest


def test_policies_are_lower_case_sorted_and_each_once() -> None:
    assert check_policy_names(["B", "a", " a ", "default", ""], "f") == ("a", "b", "default")


@pytest.mark.parametrize("name", ["root", "ROOT", " root ", "Root\t", "ｒｏｏｔ", "ＲＯＯＴ", "\u2003root"])
def test_root_is_refused_in_every_spelling(name: str) -> None:
    with pytest.raises(InvalidRequest, match="root"):
        check_policy_names(["a", name], "f")


@pytest.mark.parametrize("name", ["root\u200b", "ro\0ot", "a\nb", "\u202etoor", "x" * 513])
def test_a_name_with_invisible_characters_or_without_end_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="printable") as caught:
        check_policy_names([name], "f")
    assert name not in str(caught.value)


@given(st.lists(st.text(max_size=20)))
def test_checking_twice_changes_nothing_more(names: list[str]) -> None:
    try:
        checked = check_policy_names(names, "f")
    except InvalidRequest:
        return
    assert check_policy_names(checked, "f") == checked
    assert "root" not in checked
