from __future__ import annotations

from functools import reduce
from operator import xor

from hypothesis import given
from hypothesis import strategies as st

from strongroom.barrier.set_hash import TOTAL_BYTES, Elements, Trace, differing

ELEMENTS = Elements(bytearray(range(32)))
KEYS = st.text(min_size=1, max_size=8)
VERSIONS = st.integers(0, 2**48 - 1)
SETS = st.dictionaries(KEYS, VERSIONS, max_size=40)


def total(records: dict[str, int]) -> int:
    return reduce(xor, (ELEMENTS.of(key, version) for key, version in records.items()), 0)


@given(SETS)
def test_the_order_of_the_changes_makes_no_difference(records: dict[str, int]) -> None:
    assert total(records) == total(dict(reversed(records.items())))
    assert total(records).bit_length() <= 8 * TOTAL_BYTES


@given(SETS, KEYS, VERSIONS, VERSIONS)
def test_taking_out_what_was_put_in_gives_the_set_before(
    records: dict[str, int], key: str, version: int, other: int
) -> None:
    before = total(records)
    assert before ^ ELEMENTS.of(key, version) ^ ELEMENTS.of(key, version) == before
    if version != other:
        assert ELEMENTS.of(key, version) != ELEMENTS.of(key, other)


@given(SETS, SETS)
def test_different_sets_have_different_totals(one: dict[str, int], other: dict[str, int]) -> None:
    assert (total(one) == total(other)) is (one == other)


@given(SETS, st.dictionaries(KEYS, VERSIONS, max_size=5), st.integers(0, 2**32))
def test_a_few_differences_are_told_from_the_totals_alone(
    records: dict[str, int], changed: dict[str, int], salt: int
) -> None:
    elements = Elements(bytearray(salt.to_bytes(32, "big")))
    others = records | changed
    difference = reduce(xor, (elements.of(*item) for item in set(records.items()) ^ set(others.items())), 0)
    found, is_whole = differing(difference)
    wanted = {elements.trace(*item) for item in set(records.items()) ^ set(others.items())}
    # With ten elements in 24 cells hardly ever some remain; what is told is never wrong.
    assert found <= wanted
    assert is_whole is (found == wanted)
    if len(wanted) <= 2:
        assert is_whole


def test_most_sets_that_differ_in_eight_elements_are_told_apart_whole() -> None:
    whole = 0
    for seed in range(200):
        elements = Elements(bytearray(seed.to_bytes(32, "big")))
        whole += differing(reduce(xor, (elements.of(f"k{number}", number) for number in range(8))))[1]
    assert whole > 180


def test_no_difference_is_no_element_and_whole() -> None:
    assert differing(0) == (frozenset(), True)


def test_many_differences_are_not_told_and_said_not_to_be() -> None:
    difference = reduce(xor, (ELEMENTS.of(f"k{number}", number) for number in range(500)))
    found, is_whole = differing(difference)
    assert not is_whole
    assert len(found) < 24


def test_another_key_gives_other_elements() -> None:
    assert Elements(bytearray(32)).of("a", 1) != ELEMENTS.of("a", 1)


def test_a_key_and_its_version_cannot_be_taken_for_another_key_and_version() -> None:
    assert ELEMENTS.of("a\x00", 1) != ELEMENTS.of("a", 1)
    assert ELEMENTS.trace("a", 7) == Trace(7, ELEMENTS.of("a", 7) & 0xFFFFFFFF)
