from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alone import alone

from strongroom.sharing.table import SharedTable


def table(slots: int = 64, *, width: int = 2, processes: int = 1) -> SharedTable:
    return SharedTable(slots, width, key=b"key of the test", processes=processes)


def test_a_name_keeps_its_slot_and_its_numbers() -> None:
    made = table()
    slot = made.claim(b"a")
    assert slot is not None
    made.numbers[slot * 2 + 1] = 7
    assert made.claim(b"a") == made.find(b"a") == slot
    assert made.numbers[slot * 2 + 1] == 7
    assert made.find(b"b") is None
    assert len(made) == 1


def test_a_slot_that_is_freed_begins_with_zeros_for_the_next_one() -> None:
    made = table(16)
    slot = made.claim(b"a")
    assert slot is not None
    made.numbers[slot * 2] = 7
    made.free(slot)
    assert made.find(b"a") is None
    assert made.claim(b"b") == slot
    assert made.numbers[slot * 2] == 0


def test_a_full_bucket_says_so_and_one_of_its_slots_can_be_given_away() -> None:
    made = table(16)
    assert {made.claim(b"%d" % number) for number in range(16)} == set(range(16))
    assert made.claim(b"one more") is None
    victim = made.find(b"3")
    assert victim is not None
    assert victim in made.neighbours(b"one more")
    made.replace(victim, b"one more")
    assert made.find(b"one more") == victim
    assert made.find(b"3") is None


def test_tables_with_other_keys_put_names_elsewhere() -> None:
    first = SharedTable(4096, 1, key=b"a")
    second = SharedTable(4096, 1, key=b"b")
    names = [b"%d" % number for number in range(50)]
    assert [first.claim(name) for name in names] != [second.claim(name) for name in names]


@pytest.mark.parametrize("slots", [0, 8, 17])
def test_a_table_has_whole_buckets(slots: int) -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        table(slots)


@given(st.lists(st.tuples(st.sampled_from(["claim", "free"]), st.integers(0, 30)), max_size=100))
def test_a_table_is_a_dictionary_as_long_as_its_buckets_have_room(steps: list[tuple[str, int]]) -> None:
    made, known = table(16, width=1), dict[bytes, float]()
    for number, (what, which) in enumerate(steps):
        name = b"name %d" % which
        slot = made.find(name)
        assert (slot is not None) is (name in known)
        if what == "free" and slot is not None:
            made.free(slot)
            del known[name]
        elif what == "claim":
            slot = made.claim(name)
            assert (slot is None) is (len(known) == 16 and name not in known)
            if slot is not None:
                made.numbers[slot] = known[name] = float(number)
    assert len(made) == len(known)
    for name, value in known.items():
        slot = made.find(name)
        assert slot is not None
        assert made.numbers[slot] == value


@alone
def test_processes_that_count_at_once_lose_nothing() -> None:
    made = table(processes=3)
    children = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            _count(made)
            os._exit(0)
        children.append(pid)
    _count(made)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0]
    slot = made.find(b"together")
    assert slot is not None
    assert made.numbers[slot * 2] == 3 * 3000


def _count(made: SharedTable) -> None:
    for _ in range(3000):
        with made.turn:
            slot = made.claim(b"together")
            if slot is not None:
                made.numbers[slot * 2] = made.numbers[slot * 2] + 1
