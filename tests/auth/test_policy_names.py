from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.auth.policy_names import check_policy_names
from strongroom.logical.errors import InvalidRequest
from strongroom.policy.names import normalize_policy_names


def test_policies_are_lower_case_sorted_and_each_once() -> None:
    assert check_policy_names(["B", "a", " a ", "default", ""], "f") == ("a", "b", "default")


@pytest.mark.parametrize("name", ["root", "ROOT", " root ", "Root\t", "ｒｏｏｔ", "ＲＯＯＴ", "\u2003root"])
def test_root_is_refused_in_every_spelling(name: str) -> None:
    with pytest.raises(InvalidRequest, match="root"):
        check_policy_names(["a", name], "f")


@pytest.mark.parametrize(
    "name",
    [
        "root\u200b",
        "ro\0ot",
        "a\nb",
        "\u202etoor",
        "x" * 129,
        "root,default",
        "a b",
        "a//b",
        "../a",
        "response-wrapping",
    ],
)
def test_a_name_that_no_policy_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="names of policies") as caught:
        check_policy_names([name], "f")
    assert name not in str(caught.value)


@given(st.text(alphabet=st.sampled_from("rootROTaA1._@:-/, ſｒ\u0130"), max_size=8) | st.text(max_size=20))
def test_whatever_is_taken_is_what_a_login_can_get_and_nothing_else_is(name: str) -> None:
    try:
        given_at_login = normalize_policy_names([name], allow_root=False)
    except InvalidRequest:
        with pytest.raises(InvalidRequest):
            check_policy_names([name], "f")
        return
    assert check_policy_names([name], "f") == given_at_login


@given(st.lists(st.text(max_size=20)))
def test_checking_twice_changes_nothing_more(names: list[str]) -> None:
    try:
        checked = check_policy_names(names, "f")
    except InvalidRequest:
        return
    assert check_policy_names(checked, "f") == checked
    assert "root" not in checked
