from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kit import Vault

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.transaction import Transaction
from strongroom.environments import listed
from strongroom.environments.listed import AREA, ListedRows


def key(number: int) -> str:
    return AREA + hashlib.sha256(str(number).encode()).hexdigest()


@pytest.fixture(scope="module")
def barrier() -> Barrier:
    return Vault().node.require().barrier


def add(transaction: Transaction, *numbers: int) -> None:
    """What the guard does for values that are new, in a process of its own each time."""
    rows = ListedRows()
    rows._digit = "0123"[sum(numbers) % 4]
    for number in numbers:
        if transaction.get(key(number)) is None:
            transaction.put(key(number), b"x")
            rows.note_added(transaction, key(number))


def commit(barrier: Barrier, *numbers: int) -> None:
    with barrier.transaction() as transaction:
        add(transaction, *numbers)
        barrier.commit(transaction)


def asked(barrier: Barrier, rows: ListedRows, number: int) -> tuple[bool, bool]:
    """What is said of a row, and whether it is there."""
    with barrier.transaction() as transaction:
        return rows.may_be_there(transaction, key(number)), transaction.get(key(number)) is not None


steps = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(0, 400), st.integers(1, 12)),
        st.tuples(st.just("drop"), st.integers(0, 400), st.integers(1, 6)),
        st.tuples(st.just("ask"), st.integers(0, 420), st.integers(0, 1)),
        st.tuples(st.just("ask in an older state"), st.integers(0, 420), st.integers(0, 1)),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=steps, remembered=st.integers(1, 5), at_once=st.integers(1, 4))
def test_a_row_that_is_there_is_never_denied(script: list[tuple[str, int, int]], remembered: int, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listed, "REMEMBERED", remembered)
        patch.setattr(listed, "LEARNED_AT_ONCE", at_once)
        barrier = Vault().node.require().barrier
        processes = (ListedRows(), ListedRows())
        with barrier.transaction() as older:
            for act, number, more in script:
                if act == "commit":
                    commit(barrier, *range(number, number + more))
                    continue
                if act == "drop":
                    with barrier.transaction() as lost:
                        add(lost, *range(number, number + more))
                        for at in range(number, number + more):
                            assert processes[0].may_be_there(lost, key(at)), "what is only pending counts too"
                    continue
                rows = processes[more]
                if act == "ask":
                    may_be, is_there = asked(barrier, rows, number)
                else:
                    may_be, is_there = rows.may_be_there(older, key(number)), older.get(key(number)) is not None
                assert may_be or not is_there


def test_once_it_is_learned_what_is_not_there_is_not_looked_for(barrier: Barrier) -> None:
    commit(barrier, *range(100))
    rows = ListedRows()
    said = [asked(barrier, rows, number) for number in range(100, 200)]
    assert said == [(False, False)] * 100
    assert all(asked(barrier, rows, number) == (True, True) for number in range(100))
    commit(barrier, 300)
    assert asked(barrier, rows, 300) == (True, True)
    assert asked(barrier, rows, 301) == (False, False)
