from __future__ import annotations

import pytest
from tests.barrier.vaults import initialized, unseal

from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.restoration import JUMP, inspected, take_over
from strongroom.barrier.unsealing import open_barrier
from strongroom.physical.store import Record


@pytest.fixture
def root_key(surroundings: Surroundings) -> bytearray:
    lifecycle, shares = initialized(surroundings)
    unseal(lifecycle, shares)
    key = lifecycle.unsealed().copy_root_key()
    lifecycle.seal()
    return key


def test_a_store_that_was_taken_over_is_ahead_of_everything(surroundings: Surroundings, root_key: bytearray) -> None:
    before = open_barrier(surroundings, bytearray(root_key))
    counter, term = before.root_counter(), before.key_status().term
    before.seal()
    barrier = take_over(surroundings, root_key, transactions=counter + 500, encryptions=10**6)
    assert barrier.root_counter() > counter + 500 + JUMP - 1
    assert barrier.key_status().term == term + 1
    with barrier.transaction() as transaction:
        transaction.put("core/new", b"x")
        barrier.commit(transaction)
        version = None
    with barrier.transaction() as transaction:
        version = transaction.version("core/new")
        assert transaction.get("core/first") == b"written at initialization"
    assert version is not None
    assert version >= 10**6 + JUMP
    barrier.seal()
    assert inspected(surroundings, root_key) == []
    open_barrier(surroundings, bytearray(root_key)).seal()


def test_it_can_be_done_a_thousand_times(surroundings: Surroundings, root_key: bytearray) -> None:
    barrier = take_over(surroundings, root_key, encryptions=1000 * JUMP)
    with barrier.transaction() as transaction:
        transaction.put("core/new", b"x")
        barrier.commit(transaction)
    barrier.seal()
    assert 1001 * JUMP < 2**48
    assert inspected(surroundings, root_key) == []


def test_an_inspection_tells_what_is_wrong_with_a_restored_store(
    surroundings: Surroundings, root_key: bytearray
) -> None:
    surroundings.store.commit({}, {"root/core/strange": Record(1, b"x")}, ())
    assert [finding.place for finding in inspected(surroundings, root_key)] != []
