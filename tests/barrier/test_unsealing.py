from __future__ import annotations

import pytest
from tests.barrier.conftest import SeededEntropy, found
from tests.barrier.older import to_first_format

from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.barrier.tampering import TamperedStore, Tampering
from strongroom.barrier.unsealing import open_barrier, renew_root
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Record, Unavailable


@pytest.fixture
def older(surroundings: Surroundings, store: MemoryStore, root_key: bytearray, entropy: SeededEntropy) -> MemoryStore:
    """A store of the first format with records."""
    barrier = found(surroundings, root_key)
    with barrier.transaction() as transaction:
        for number in range(1500):
            transaction.put(f"k/{number}", b"")
        barrier.commit(transaction)
    barrier.seal()
    to_first_format(store, bytes(root_key), entropy)
    return store


def test_a_store_of_the_first_format_gets_a_root_record_at_its_first_unseal(
    older: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    for _ in range(2):
        barrier = open_barrier(surroundings, bytearray(root_key))
        assert barrier.root_counter() == 1
        assert barrier.root().records == 1500
        inspection = Inspection(barrier, older)
        assert [*inspection.run()]
        assert inspection.findings == []
        barrier.seal()


def test_an_upgraded_store_goes_on_writing(older: MemoryStore, surroundings: Surroundings, root_key: bytearray) -> None:
    barrier = open_barrier(surroundings, bytearray(root_key))
    assert barrier.rotate() > 1
    with barrier.transaction() as transaction:
        transaction.put("new", b"value")
        barrier.commit(transaction)
    barrier.seal()
    with open_barrier(surroundings, bytearray(root_key)).transaction() as transaction:
        assert transaction.get("new") == b"value"
    assert older.name == "inmem"


def test_an_upgrade_that_fails_is_made_the_next_time(
    older: MemoryStore, surroundings: Surroundings, root_key: bytearray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("no space")

    with monkeypatch.context() as patched:
        patched.setattr(older, "commit", refuse)
        key = bytearray(root_key)
        with pytest.raises(Unavailable):
            open_barrier(surroundings, key)
        assert key == bytes(32)
    assert open_barrier(surroundings, bytearray(root_key)).root_counter() == 1


def test_a_newer_store_cannot_be_passed_off_as_one_of_the_first_format(
    surroundings: Surroundings, store: MemoryStore, root_key: bytearray
) -> None:
    found(surroundings, root_key)
    store.commit({}, {}, (ROOT_KEY,))
    with pytest.raises(TamperedStore) as refused:
        open_barrier(surroundings, bytearray(root_key))
    assert [finding.kind for finding in refused.value.findings] == [Tampering.ROOT_MISSING]
    with store.snapshot() as snapshot:
        keyring = snapshot.get("barrier/keyring/0")
    assert keyring is not None
    store.commit({}, {"barrier/keyring/0": Record(keyring.version, b"\x01" + keyring.value[1:])}, ())
    with pytest.raises(TamperedStore, match="keyring"):
        open_barrier(surroundings, bytearray(root_key))


def test_a_root_record_that_lies_in_a_store_of_the_first_format_is_not_believed(
    older: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    older.commit({}, {ROOT_KEY: Record(9, bytes(400))}, ())
    barrier = open_barrier(surroundings, bytearray(root_key))
    assert barrier.root_counter() == 1


def test_a_root_record_that_is_renewed_has_the_number_that_was_asked_for(
    surroundings: Surroundings, root_key: bytearray
) -> None:
    barrier = found(surroundings, root_key)
    renew_root(barrier, surroundings, counter=77)
    assert barrier.root_counter() == 78


def test_a_root_record_is_not_renewed_while_somebody_writes(
    surroundings: Surroundings, store: MemoryStore, root_key: bytearray, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier, writer = found(surroundings, root_key), open_barrier(surroundings, bytearray(root_key))
    survey = store.survey

    def survey_while_somebody_writes(key: str) -> object:
        taken = survey(key)
        with writer.transaction() as transaction:
            transaction.put("a", b"")
            writer.commit(transaction)
        return taken

    monkeypatch.setattr(store, "survey", survey_while_somebody_writes)
    with pytest.raises(Conflict):
        renew_root(barrier, surroundings, counter=5)
