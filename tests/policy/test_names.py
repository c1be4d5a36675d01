from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.logical.errors import InvalidRequest
from strongroom.policy.names import check_policy_name, normalize_policy_names

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge results; how long an example takes on a busy machine says nothing."""

ROOT_SPELLINGS = [
    "root",
    "ROOT",
    " root",
    "root ",
    "Root\t",
    "root\u0000",
    "ｒｏｏｔ",
    "\u00a0root",
    "root\u200b",
    "ⓡoot",
]


@pytest.mark.parametrize("name", ROOT_SPELLINGS)
def test_no_spelling_of_root_can_be_assigned(name: str) -> None:
    with pytest.raises(InvalidRequest):
        normalize_policy_names(["default", name], allow_root=False)


def test_root_is_assigned_only_where_the_caller_says_so() -> None:
    assert normalize_policy_names(["ROOT "], allow_root=True) == ("root",)


def test_names_are_lowered_stripped_sorted_and_not_repeated() -> None:
    given_names = ["web", " Default", "WEB", "", "team/a.b_c@d-1:x"]
    assert normalize_policy_names(given_names, allow_root=False) == ("default", "team/a.b_c@d-1:x", "web")


@pytest.mark.parametrize(
    "name",
    ["root,default", "a b", "../b/admin", "a//b", "/a", "a/", "a/./b", "\u0000", "é", "а", "a" * 129, "a\nb", "*"],
)
def test_names_outside_the_alphabet_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        normalize_policy_names([name], allow_root=False)
    with pytest.raises(InvalidRequest):
        check_policy_name(name)


def test_the_policy_of_wrapping_tokens_cannot_be_assigned() -> None:
    with pytest.raises(InvalidRequest, match="cannot assign"):
        normalize_policy_names(["Response-Wrapping"], allow_root=True)


@pytest.mark.parametrize("name", ["Dev", " dev", "dev ", "dev\t", "DEV", ""])
def test_a_name_in_a_path_has_one_spelling_and_others_are_refused_not_corrected(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_policy_name(name)


def test_the_one_spelling_of_a_name_passes() -> None:
    assert check_policy_name("a" * 128) == "a" * 128


@unhurried
@given(st.lists(st.text(max_size=12)))
def test_normalizing_gives_names_that_normalize_to_themselves_or_refuses(names: list[str]) -> None:
    try:
        normal = normalize_policy_names(names, allow_root=False)
    except InvalidRequest:
        return
    assert normalize_policy_names(normal, allow_root=False) == normal
    assert [check_policy_name(name) for name in normal] == list(normal)
    assert "root" not in normal
