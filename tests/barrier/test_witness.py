"""The root record stays in step with the records, whatever happens to them."""

from __future__ import annotations

from functools import reduce
from operator import xor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.barrier.conftest import FakeClock, SeededEntropy, found

from strongroom.barrier.barrier import Barrier, Limits, Surroundings
from strongroom.barrier.store_root import ROOT_KEY, parse_pins
from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import Sealed
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Record, Unavailable

ROOT = bytearray(range(32))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "read and put", "read and delete", "drop"]), st.sampled_from(list("abcdef"))
    ),
    max_size=8,
)


def fresh() -> tuple[MemoryStore, Barrier]:
    store = MemoryStore()
    surroundings = Surroundings(store, FakeClock(), SeededEntropy(), Limits(block=16, term_invocations=1000))
    return store, found(surroundings, ROOT)


def recomputed(store: MemoryStore, barrier: Barrier) -> tuple[int, int]:
    """The number of records and their total, from all of them."""
    elements = barrier.witness.tools.elements
    with store.snapshot() as snapshot:
        records = {key: snapshot.get(key) for key in snapshot.keys(TENANT_PREFIX)}
    return len(records), reduce(xor, (elements.of(key, record.version) for key, record in records.items() if record), 0)


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=12))
def test_after_any_transactions_the_stored_total_is_that_of_all_records(
    transactions: list[list[tuple[str, str]]],
) -> None:
    store, barrier = fresh()
    for steps in transactions:
        before = barrier.root_counter()
        with barrier.transaction() as transaction:
            changes = False
            for step, key in steps:
                if step.startswith("read"):
                    transaction.get(key)
                if step.endswith("put"):
                    transaction.put(key, b"value")
                elif step.endswith("delete"):
                    transaction.delete(key)
                changes = changes or step != "drop"
            barrier.commit(transaction)
        root = barrier.root()
        assert (root.records, root.total) == recomputed(store, barrier)
        assert root.counter - before in ({0, 1, 2} if changes else {0})


def test_every_row_beside_the_records_is_pinned() -> None:
    store, barrier = fresh()
    barrier.rotate()
    with store.snapshot() as snapshot:
        beside = {key for key in snapshot.keys("") if not key.startswith(TENANT_PREFIX)} - {ROOT_KEY}
        pins = parse_pins(barrier.root().pins)
        assert pins.keys() == beside
        pin = barrier.witness.tools.pinner.pin
        assert all(pins[key] == pin(key, *record) for key in beside if (record := snapshot.get(key)))


def test_a_conflict_changes_no_root_record(barrier: Barrier) -> None:
    first, second = barrier.transaction(), barrier.transaction()
    for transaction in (first, second):
        transaction.get("a")
        transaction.put("a", b"")
    barrier.commit(first)
    counter = barrier.root_counter()
    with pytest.raises(Conflict):
        barrier.commit(second)
    assert barrier.root_counter() == counter


def test_a_commit_that_comes_after_the_seal_changes_nothing(store: MemoryStore, barrier: Barrier) -> None:
    with store.snapshot() as before:
        barrier.seal()
        with pytest.raises(Sealed):
            store.commit({}, {"root/late": Record(1, b"")}, (), barrier.witness)
        with store.snapshot() as after:
            assert after.keys("") == before.keys("")
            assert after.get(ROOT_KEY) == before.get(ROOT_KEY)


def test_a_store_that_goes_backwards_under_a_running_vault_is_written_to_no_more(
    store: MemoryStore, barrier: Barrier
) -> None:
    alarms: list[str] = []
    barrier.witness.on_alarm = lambda finding: alarms.append(finding.kind.value)
    with store.snapshot() as snapshot:
        old = snapshot.get(ROOT_KEY)
    assert old is not None
    for key in ("a", "b"):
        with barrier.transaction() as transaction:
            transaction.put(key, b"")
            barrier.commit(transaction)
    store.commit({}, {ROOT_KEY: old}, ())
    with barrier.transaction() as transaction:
        transaction.put("c", b"")
        with pytest.raises(Unavailable, match="older"):
            barrier.commit(transaction)
    assert alarms == ["rolled-back"]


def test_a_new_barrier_does_not_take_over_a_store_with_another_root_record(surroundings: Surroundings) -> None:
    found(surroundings, ROOT)
    other = Barrier.create(surroundings, bytearray(32))
    with other.transaction() as transaction, pytest.raises(Unavailable, match="another store"):
        surroundings.store.commit({}, other.founding_records(transaction), (), other.witness)


def test_without_a_root_record_the_counter_is_not_known(store: MemoryStore, barrier: Barrier) -> None:
    store.commit({}, {}, (ROOT_KEY,))
    with pytest.raises(Damaged):
        barrier.root_counter()
