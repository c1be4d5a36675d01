from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.auth.names import check_name, fold, is_canonical
from strongroom.logical.errors import InvalidRequest

# SECURITY D-14: names that look alike, or become alike under some folding.
LOOKALIKES = [
    "ſam",
    "ﬁona",
    "ADMİN",
    "ＡＤＭＩＮ",
    "admin\u200b",
    "admin\u00a0",
    "аdmin",
    "a\u0301dmin",
    "ádmin",
    " admin",
    "admin ",
    "admin\n",
    "admin\0",
    "ad/min",
    "",
    "a" * 129,
]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_name_outside_of_the_canonical_alphabet_is_refused_and_never_folded(name: str) -> None:
    assert fold(name) is None
    with pytest.raises(InvalidRequest):
        check_name(name, "user")


@pytest.mark.parametrize("name", ["admin", "a", "a@b.c_d-e", "0" * 128])
def test_a_canonical_name_is_taken_as_it_is(name: str) -> None:
    assert check_name(name, "user") == name
    assert fold(name) == name


def test_capitals_fold_at_a_login_and_are_refused_where_an_acl_has_judged_the_path() -> None:
    assert fold("Admin") == "admin"
    with pytest.raises(InvalidRequest, match="small letters"):
        check_name("Admin", "user")


@given(st.text())
def test_folding_gives_a_canonical_name_or_nothing_and_folds_only_once(name: str) -> None:
    folded = fold(name)
    assert folded is None or (is_canonical(folded) and fold(folded) == folded)


@given(st.text(min_size=1))
def test_a_refusal_never_quotes_the_name(name: str) -> None:
    marked = f"canary{name}canary!"
    with pytest.raises(InvalidRequest) as caught:
        check_name(marked, "role")
    assert "canary" not in str(caught.value)
