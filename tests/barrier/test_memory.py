from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.barrier.conftest import FakeClock, SeededEntropy, read, write

from strongroom.barrier import memory
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.memory import BYTES_MAX, STATES_MAX, Memory
from strongroom.barrier.transaction import TENANT_PREFIX, Transaction
from strongroom.crypto.aead import Damaged
from strongroom.physical.memory import MemoryStore, _State
from strongroom.physical.store import Record


def count_looks(transaction: Transaction) -> list[str]:
    """The keys that are looked up in the store from now on."""
    looks: list[str] = []
    snapshot = transaction._snapshot

    class Counting:
        def get(self, key: str) -> Record | None:
            looks.append(key)
            return snapshot.get(key)

        def close(self) -> None:
            snapshot.close()

    transaction._snapshot = Counting()  # type: ignore[assignment] # nothing else of it is used here
    return looks


def test_what_one_transaction_found_the_next_does_not_look_for(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    assert (read(barrier, "a"), read(barrier, "b")) == (b"1", None)
    transaction = barrier.transaction()
    looks = count_looks(transaction)
    assert (transaction.get("a"), transaction.get("b")) == (b"1", None)
    assert transaction.version("a") is not None
    assert looks == []
    assert transaction.get("c") is None
    assert looks == [f"{TENANT_PREFIX}c"]


def test_a_read_that_was_spared_counts_as_one(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    read(barrier, "a")
    read(barrier, "b")
    with barrier.transaction() as transaction:
        transaction.get("a")
        transaction.get("b")
        expected = transaction.expectations()
        assert expected[f"{TENANT_PREFIX}a"] is not None
        assert expected[f"{TENANT_PREFIX}b"] is None
        assert len(expected) == 2


@pytest.mark.parametrize("value", [b"2", b"", None])
def test_after_a_commit_nothing_is_what_it_was(barrier: Barrier, value: bytes | None) -> None:
    write(barrier, a=b"1", other=b"same")
    assert read(barrier, "a") == b"1"
    write(barrier, a=value)
    assert read(barrier, "a") == value
    assert read(barrier, "other") == b"same"


def test_an_open_transaction_goes_on_to_see_its_own_state(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    with barrier.transaction() as earlier:
        write(barrier, a=b"2")
        assert read(barrier, "a") == b"2"
        assert earlier.get("a") == b"1"
        assert read(barrier, "a") == b"2"


def test_what_is_not_committed_is_remembered_for_nobody(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    with barrier.transaction() as transaction:
        transaction.put("a", b"2")
        transaction.delete("b")
        assert transaction.get("a") == b"2"
        nested = transaction.begin_nested()
        nested.put("c", b"3")
        nested.merge()
    assert [read(barrier, key) for key in ("a", "b", "c")] == [b"1", None, None]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["read", "write", "delete", "look"]), st.binary(max_size=3)),
        max_size=40,
    )
)
def test_whatever_is_read_between_the_commits_the_answers_are_those_of_the_store(
    steps: list[tuple[str, str, bytes]],
) -> None:
    barrier = Barrier.create(Surroundings(MemoryStore(), FakeClock(), SeededEntropy()), bytearray(32))
    with barrier.transaction() as transaction:
        barrier._store.commit({}, barrier.founding_records(transaction), (), barrier.witness)
    expected: dict[str, bytes] = {}
    for key, action, value in steps:
        if action == "write":
            write(barrier, **{key: value})
            expected[key] = value
        elif action == "delete":
            write(barrier, **{key: None})
            expected.pop(key, None)
        elif action == "look":
            with barrier.transaction() as transaction:
                assert (transaction.version(key) is not None) == (key in expected)
        else:
            assert read(barrier, key) == expected.get(key)


def test_more_than_a_bound_is_not_remembered(monkeypatch: pytest.MonkeyPatch, barrier: Barrier) -> None:
    monkeypatch.setattr(memory, "BYTES_MAX", 4000)
    write(barrier, large=bytes(5000), small=b"1")
    assert read(barrier, "small") == b"1"
    with barrier.transaction() as transaction:
        looks = count_looks(transaction)
        assert transaction.get("small") == b"1"
        assert looks == []
        assert transaction.get("large") == bytes(5000)
    with barrier.transaction() as transaction:
        looks = count_looks(transaction)
        assert transaction.get("small") == b"1"
        assert len(looks) == 1


def test_rows_that_are_not_there_count_too(barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        for number in range(BYTES_MAX // memory.ROW_BYTES + 1):
            transaction.get(str(number))
    with barrier.transaction() as transaction:
        looks = count_looks(transaction)
        transaction.get("0")
        assert len(looks) == 1


def test_what_is_known_of_folders_counts_too(barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        for number in range(BYTES_MAX // memory.ROW_BYTES // 100 + 1):
            transaction.stored_beside([f"{number:06d}/{place:03d}" for place in range(100)], 7, 10)
    with barrier.transaction() as transaction:
        looks = count_looks(transaction)
        transaction.get("000000/000")
        assert len(looks) == 1


def test_a_few_states_are_remembered_and_the_oldest_goes_first() -> None:
    known = Memory()
    seen = [known.of(state) for state in range(STATES_MAX)]
    assert [known.of(state) for state in range(STATES_MAX)] == seen
    known.of("another")
    assert known.of(STATES_MAX - 1) is seen[STATES_MAX - 1]
    assert known.of(0) is not seen[0]


def test_a_sealed_barrier_remembers_nothing(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    read(barrier, "a")
    barrier.seal()
    assert barrier._memory._states == {}


def test_nothing_that_was_opened_is_remembered(barrier: Barrier) -> None:
    write(barrier, a=b"password")
    for _ in range(2):
        with barrier.transaction() as transaction:
            assert transaction.begin_nested().get("a") == b"password"
    assert "password" not in repr([seen.found for seen in barrier._memory._states.values()])
    with barrier.transaction() as transaction:
        assert transaction._stack.opened == {}
        assert transaction._stack.found


def test_threads_may_look_at_states_at_once() -> None:
    known, problems = Memory(), list[Exception]()

    def look(first: int) -> None:
        try:
            for number in range(2000):
                known.of((first + number) % (2 * STATES_MAX))
        except Exception as problem:  # noqa: BLE001 -- the test fails with it
            problems.append(problem)

    threads = [threading.Thread(target=look, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(known._states) <= STATES_MAX + len(threads)


def test_a_record_that_was_damaged_since_is_seen_with_the_next_state(barrier: Barrier, store: MemoryStore) -> None:
    write(barrier, a=b"1")
    assert read(barrier, "a") == b"1"
    records = dict(store._state.records)
    records[f"{TENANT_PREFIX}a"] = Record(records[f"{TENANT_PREFIX}a"].version, b"")
    store._state = _State(records, store._state.order)
    with pytest.raises(Damaged):
        read(barrier, "a")
