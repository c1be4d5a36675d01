from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kit import Vault

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.transaction import Transaction
from strongroom.crypto.aead import Damaged
from strongroom.environments import listed
from strongroom.environments.listed import AREA, HALF, PART_ENTRIES, ListedValues
from strongroom.physical.store import Conflict


def form(number: int) -> bytes:
    return hashlib.sha256(b"form %d" % number).digest()[:HALF]


def value(number: int) -> bytes:
    return hashlib.sha256(b"value %d" % number).digest()[:HALF]


@pytest.fixture
def barrier() -> Barrier:
    return Vault().node.require().barrier


def process(digit: str) -> ListedValues:
    """One of the processes that serve a vault."""
    return ListedValues(int(digit, 16))


def add(values: ListedValues, transaction: Transaction, *numbers: int, is_new: bool = True) -> None:
    values.add(transaction, [form(number) + value(number) for number in numbers], is_new=is_new)


def commit(barrier: Barrier, values: ListedValues, *numbers: int, is_new: bool = True) -> None:
    with barrier.transaction() as transaction:
        add(values, transaction, *numbers, is_new=is_new)
        barrier.commit(transaction)


def found(values: ListedValues, transaction: Transaction, number: int) -> bool:
    said = values.look(transaction, [(form(number), None)]).get(form(number), [])
    assert set(said) <= {value(number)}
    return bool(said)


def entries_in(barrier: Barrier) -> int:
    """How many entries are stored."""
    with barrier.transaction() as transaction:
        rows = {key: transaction.get(key) or b"" for key in transaction.scan(AREA)}
    return sum(len(row) // (2 * HALF) for row in rows.values())


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
@given(script=steps, full=st.integers(1, 5))
def test_what_is_listed_is_always_found_and_nothing_that_never_was(
    script: list[tuple[str, int, int]], full: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listed, "PART_ENTRIES", full)
        barrier = Vault().node.require().barrier
        processes = (process("0"), process("a"))
        there: set[int] = set()
        with barrier.transaction() as older:
            for act, number, more in script:
                numbers = range(number, number + more)
                if act == "commit":
                    commit(barrier, processes[number % 2], *numbers)
                    there.update(numbers)
                elif act == "drop":
                    with barrier.transaction() as lost:
                        add(processes[0], lost, *numbers)
                        for at in numbers:
                            assert found(processes[0], lost, at), "what is only pending counts too"
                elif act == "ask":
                    with barrier.transaction() as transaction:
                        assert found(processes[more], transaction, number) == (number in there)
                else:
                    assert not found(processes[more], older, number) or number in there
        with barrier.transaction() as transaction:
            for one in (*processes, process("f")):
                assert all(found(one, transaction, number) == (number in there) for number in range(420))


def test_a_batch_sees_what_its_earlier_requests_list_whatever_its_process_knew(barrier: Barrier) -> None:
    commit(barrier, process("0"), *range(2 * PART_ENTRIES + 3))
    late = process("1")
    with barrier.transaction() as base:
        first = base.begin_nested()
        add(late, first, 1000)
        first.merge()
        second = base.begin_nested()
        assert found(late, second, 1000)
        assert found(late, second, 5)
        assert not found(late, second, 1001)


def test_what_is_known_is_not_listed_again(barrier: Barrier) -> None:
    one, other = process("0"), process("1")
    for is_new in (True, False, False):
        commit(barrier, one, *range(PART_ENTRIES + 10), is_new=is_new)
    assert entries_in(barrier) == PART_ENTRIES + 10
    with barrier.transaction() as transaction:
        add(other, transaction, 3, 3, 5, is_new=False)
        assert not transaction.has_changes


def test_what_was_listed_twice_is_remembered_and_found_once(barrier: Barrier) -> None:
    for process_of in ("0", "1"):
        commit(barrier, process(process_of), 1, 1, 2)
    late = process("2")
    with barrier.transaction() as transaction:
        assert late.look(transaction, [(form(1), None)]) == {form(1): [value(1)]}
    assert sum(len(page) for page in late._pages if page is not None) == 2 * 2 * HALF


@pytest.mark.parametrize("digit", ["0", "1"], ids=["in a list that is in use", "in a list of its own"])
def test_whoever_lists_what_is_new_is_in_conflict_with_whoever_asked_before(barrier: Barrier, digit: str) -> None:
    """Known or not: the one who asked may have decided by where it is."""
    commit(barrier, process("0"), 1)
    asker = process("2")
    for _ in range(2):  # it may know everything, or nothing yet
        with barrier.transaction() as asking:
            asker.news(asking)
            reads = asking.footprint().reads
        with barrier.transaction() as listing:
            add(process(digit), listing, 1)
            assert reads.keys() & listing.footprint().writes.keys()


def test_whoever_asked_in_an_older_state_than_its_process_knows_is_in_conflict(barrier: Barrier) -> None:
    """It knows of the value, but in its own state of the store the value is nowhere yet."""
    one, asker = process("0"), process("2")
    commit(barrier, one, 1)
    for number in range(2, 3 * PART_ENTRIES):
        with barrier.transaction() as older:
            commit(barrier, one, number)
            with barrier.transaction() as newest:
                asker.news(newest)
            asker.news(older)
            older.put("core/test", b"")
            with pytest.raises(Conflict):
                barrier.commit(older)


def test_the_lists_of_the_format_before_are_found_and_cost_the_next_question_nothing(barrier: Barrier) -> None:
    one = process("0")
    commit(barrier, one, *range(PART_ENTRIES + 5))
    with barrier.transaction() as transaction:
        transaction.put(f"{AREA}all", b"")
        barrier.commit(transaction)
    late = process("7")
    with barrier.transaction() as transaction:
        assert all(found(late, transaction, number) for number in range(PART_ENTRIES + 5))
    with barrier.transaction() as transaction:
        late.news(transaction)
        assert transaction.footprint().reads.keys() == {f"{AREA}all"}
    commit(barrier, one, 1000)
    with barrier.transaction() as transaction:
        assert found(late, transaction, 1000)
        assert found(process("8"), transaction, 1000)


def test_those_who_list_do_not_wait_for_each_other(barrier: Barrier) -> None:
    one, other = process("0"), process("1")
    commit(barrier, one, 1)
    commit(barrier, other, 2)
    with barrier.transaction() as late:
        add(one, late, 3)
        commit(barrier, other, 4)
        barrier.commit(late)
    with barrier.transaction() as transaction:
        assert all(found(process("5"), transaction, number) for number in (1, 2, 3, 4))


def test_a_part_that_is_missing_is_not_passed_over(barrier: Barrier) -> None:
    commit(barrier, process("0"), *range(PART_ENTRIES + 1))
    with barrier.transaction() as transaction:
        transaction.delete(f"{AREA}0/{0:08x}")
        with pytest.raises(Damaged):
            process("1").news(transaction)
