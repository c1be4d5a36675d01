from __future__ import annotations

from itertools import combinations, product

import pytest

from strongroom.environments.binding import chosen, narrowed
from strongroom.environments.environment import Environment
from strongroom.environments.map import EnvironmentMap
from strongroom.logical.environment_name import BINDING_MAX, check_environment_names
from strongroom.logical.errors import InvalidRequest

NAMES = ("dev", "staging", "production")
KNOWN = EnvironmentMap(Environment(name=name, rank=rank) for rank, name in enumerate(NAMES))
BINDINGS = [names for count in range(len(NAMES) + 1) for names in combinations(sorted(NAMES), count)]


def reach(binding: tuple[str, ...]) -> set[str]:
    return set(binding) or set(NAMES)


@pytest.mark.parametrize("several", list(product(BINDINGS, repeat=2)), ids=str)
def test_bindings_together_reach_what_each_of_them_reaches(several: tuple[tuple[str, ...], ...]) -> None:
    together = set(NAMES).intersection(*map(reach, several))
    if together:
        assert reach(narrowed(*several)) == together
    else:
        with pytest.raises(InvalidRequest):
            narrowed(*several)


@pytest.mark.parametrize(("asked", "allowed"), list(product(BINDINGS, repeat=2)))
def test_what_is_chosen_never_reaches_beyond_what_is_allowed(asked: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    try:
        result = chosen(asked, allowed, KNOWN)
    except InvalidRequest:
        assert not reach(asked) <= reach(allowed)
    else:
        assert reach(result) <= reach(allowed)


def test_an_environment_that_is_not_there_cannot_be_chosen() -> None:
    with pytest.raises(InvalidRequest):
        chosen(("qa",), (), KNOWN)


def test_names_are_written_in_small_letters_and_once() -> None:
    assert check_environment_names(["Production", "dev", "DEV"]) == ("dev", "production")


@pytest.mark.parametrize("name", ["", "-dev", "a b", "a/b", "ä", "x" * 65, "İ", "dev\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_environment_names([name])


def test_a_token_is_bound_to_a_bounded_number() -> None:
    with pytest.raises(InvalidRequest):
        check_environment_names([f"e{number}" for number in range(BINDING_MAX + 1)])
