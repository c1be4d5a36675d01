"""Several keyrings in one barrier: made and destroyed with the assignment, rotated, followed, and never mistaken for each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.barrier.assigned import ONE, TWO, assign, keyring_of, read, rows, write
from tests.barrier.conftest import FakeClock, SeededEntropy

from strongroom.barrier.assignment import ASSIGNMENT_KEY, Areas, Assignment, decode_assignment, encode_assignment
from strongroom.barrier.barrier import Barrier, Limits, Surroundings
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.keyring import Term, open_keyring
from strongroom.barrier.record import RecordCipher, keyring_in
from strongroom.barrier.tampering import TamperedStore, Tampering
from strongroom.barrier.unsealing import open_barrier, renew_root
from strongroom.crypto.aead import Damaged
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Full, Record, Unavailable


def findings(barrier: Barrier, store: MemoryStore) -> list[tuple[Tampering, str]]:
    inspection = Inspection(barrier, store)
    for _ in inspection.run():
        pass
    return [(one.kind, one.place) for one in inspection.findings]


def put_row(store: MemoryStore, key: str, record: Record | None) -> None:
    """As somebody would who has the disk."""
    store.commit({}, {} if record is None else {key: record}, (key,))


def row(store: MemoryStore, key: str) -> Record:
    with store.snapshot() as snapshot:
        record = snapshot.get(key)
    assert record is not None
    return record


def test_rows_of_an_assigned_mount_lie_under_its_keyring_and_all_others_under_the_first(
    barrier: Barrier, store: MemoryStore
) -> None:
    write(barrier, ONE, b"before")
    assign(barrier, (1, ("one",)), (2, ("two",)))
    for key in (TWO, "logical/three/a", "core/x", "core/override/me/one/app", "auth/two/role/web"):
        write(barrier, key, key.encode())
    found = {key: keyring_of(store, key)[0] for key in (ONE, TWO, "logical/three/a", "core/x", ASSIGNMENT_KEY)}
    assert found == {ONE: 0, TWO: 2, "logical/three/a": 0, "core/x": 0, ASSIGNMENT_KEY: 0}
    assert keyring_of(store, "core/override/me/one/app") == (1, 1)
    assert keyring_of(store, "auth/two/role/web") == (2, 1)
    assert (read(barrier, ONE), read(barrier, TWO)) == (b"before", TWO.encode())
    write(barrier, ONE, b"after")
    assert keyring_of(store, ONE) == (1, 1)
    assert rows(store) == [f"barrier/keyring/{number}" for number in range(3)]
    assert findings(barrier, store) == []


def test_keyrings_are_made_with_the_assignment_or_not_at_all(
    barrier: Barrier, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Full("no space")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", refuse)
        with pytest.raises(Full):
            assign(barrier, (1, ("one",)))
    assert rows(store) == ["barrier/keyring/0"]
    write(barrier, ONE)
    assert keyring_of(store, ONE) == (0, 1)
    assign(barrier, (1, ("one",)))
    write(barrier, ONE)
    assert keyring_of(store, ONE) == (1, 1)


def test_everything_is_there_again_after_the_next_unseal(
    barrier: Barrier, store: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    assign(barrier, (1, ("one",)), (2, ("two",)))
    write(barrier, ONE, b"1")
    barrier.rotate(1)
    barrier.seal()
    again = open_barrier(surroundings, bytearray(root_key))
    write(again, TWO, b"2")
    assert (read(again, ONE), read(again, TWO)) == (b"1", b"2")
    assert (keyring_of(store, TWO), again.key_status(1).term, again.key_status(2).term) == ((2, 1), 2, 1)
    again.seal()


def test_a_keyring_that_is_not_assigned_any_more_is_destroyed(
    barrier: Barrier, store: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    sibling = open_barrier(surroundings, bytearray(root_key))
    assign(barrier, (1, ("one",)), (2, ("two",)))
    write(barrier, ONE)
    assert read(sibling, ONE) == b"value"
    keys = [one._keys.keyrings.by_id[1].active.key for one in (barrier, sibling)]
    assert all(any(key) for key in keys)
    assign(barrier, (2, ("two",)), last=2)
    sibling.refresh_keyrings()
    assert not any(any(key) for key in keys)
    assert rows(store) == ["barrier/keyring/0", "barrier/keyring/2"]
    for one in (barrier, sibling):
        with pytest.raises(Damaged):
            read(one, ONE)
        with pytest.raises(LookupError):
            one.key_status(1)
        with pytest.raises(LookupError):
            one.rotate(1)
    sibling.seal()


@pytest.mark.parametrize("again", [1, 2])
def test_no_id_is_given_twice(barrier: Barrier, again: int) -> None:
    assign(barrier, (1, ("one",)), (2, ()))
    assign(barrier, last=2)
    with pytest.raises(ValueError, match="never given twice"):
        assign(barrier, (again, ("one",)), last=2)
    with pytest.raises(ValueError, match="never given twice"):
        assign(barrier, last=1)


def test_a_process_that_does_not_know_of_another_assignment_does_not_write_by_the_old_one(
    barrier: Barrier, store: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    sibling = open_barrier(surroundings, bytearray(root_key))
    for keyrings in ([(1, ("one",))], [(1, ()), (2, ("one",))]):
        assign(barrier, *keyrings)
        with pytest.raises(Conflict):
            write(sibling, ONE)
        write(sibling, ONE)
        assert keyring_of(store, ONE)[0] == keyrings[-1][0]
    with sibling.transaction() as late:
        late.put(TWO, b"")
        assign(barrier, (1, ()), (2, ("one", "two")))
        with pytest.raises(Conflict):
            sibling.commit(late)
    sibling.seal()


def test_two_that_change_the_assignment_at_once_do_not_take_each_other_s_id(
    barrier: Barrier, surroundings: Surroundings, root_key: bytearray
) -> None:
    sibling = open_barrier(surroundings, bytearray(root_key))
    with sibling.transaction() as late:
        assert late.get(ASSIGNMENT_KEY) is None
        late.put(ASSIGNMENT_KEY, encode_assignment(Assignment(1, {1: ("two",)})))
        assign(barrier, (1, ("one",)))
        with pytest.raises(Conflict):
            sibling.commit(late)
    sibling.seal()


def test_a_rotation_is_of_all_keyrings_or_of_one(barrier: Barrier, store: MemoryStore, clock: FakeClock) -> None:
    assign(barrier, (1, ("one",)), (2, ("two",)))
    clock.at_ns += 5
    assert barrier.rotate() == 2
    assert barrier.rotate(2) == 3
    assert [barrier.key_status(number).term for number in range(3)] == [2, 2, 3]
    assert barrier.key_status(1).install_time_ns == clock.now_ns()
    for key in (ONE, TWO, "core/x"):
        write(barrier, key)
    assert [keyring_of(store, key) for key in (ONE, TWO, "core/x")] == [(1, 2), (2, 3), (0, 2)]


def test_what_a_sibling_rotated_is_not_rotated_again_and_the_rest_is(
    barrier: Barrier, surroundings: Surroundings, root_key: bytearray
) -> None:
    assign(barrier, (1, ("one",)), (2, ("two",)))
    sibling = open_barrier(surroundings, bytearray(root_key))
    sibling.rotate(2)
    assert barrier.rotate() == 2
    assert [barrier.key_status(number).term for number in range(3)] == [2, 2, 2]
    sibling.seal()


def test_a_term_that_is_worn_out_is_replaced_in_each_keyring(
    store: MemoryStore, clock: FakeClock, entropy: SeededEntropy, root_key: bytearray
) -> None:
    from tests.barrier.conftest import found

    barrier = found(Surroundings(store, clock, entropy, Limits(block=8, term_invocations=20)), root_key)
    for number in range(10):
        write(barrier, f"core/{number}")
    assign(barrier, (1, ("one",)))
    for number in range(60):
        write(barrier, f"logical/one/{number}")
    with store.snapshot() as snapshot:
        values = [record.value for key in snapshot.keys("root/") if (record := snapshot.get(key)) is not None]
    used = [value[1:7] for value in values]
    assert max(used.count(one) for one in set(used)) <= 20
    assert barrier.key_status(1).term > 1
    assert barrier.key_status(1).encryptions <= 20
    assert all(read(barrier, f"logical/one/{number}") for number in range(60))


def test_the_tools_of_the_store_stay_those_of_the_first_keyring(barrier: Barrier) -> None:
    before = barrier.derive_lasting(b"purpose")
    assign(barrier, (1, ("one",)))
    barrier.rotate()
    assert barrier.derive_lasting(b"purpose") == before


# A store that somebody laid hands on


def _older_row(store: MemoryStore, barrier: Barrier) -> None:
    before = row(store, "barrier/keyring/1")
    barrier.rotate(1)
    put_row(store, "barrier/keyring/1", before)


def _swapped(store: MemoryStore, _barrier: Barrier) -> None:
    one, two = row(store, "barrier/keyring/1"), row(store, "barrier/keyring/2")
    put_row(store, "barrier/keyring/1", two)
    put_row(store, "barrier/keyring/2", one)


def _edited(store: MemoryStore, _barrier: Barrier) -> None:
    before = row(store, "barrier/keyring/1")
    put_row(store, "barrier/keyring/1", Record(before.version, before.value[:-1] + bytes([before.value[-1] ^ 1])))


def _missing(store: MemoryStore, _barrier: Barrier) -> None:
    put_row(store, "barrier/keyring/1", None)


@pytest.mark.parametrize("tamper", [_older_row, _swapped, _edited, _missing])
def test_a_keyring_that_is_not_the_right_one_keeps_the_vault_shut_and_is_named(
    barrier: Barrier,
    store: MemoryStore,
    surroundings: Surroundings,
    root_key: bytearray,
    tamper: Callable[[MemoryStore, Barrier], None],
) -> None:
    assign(barrier, (1, ("one",)), (2, ("two",)))
    write(barrier, ONE)
    tamper(store, barrier)
    barrier.seal()
    with pytest.raises(TamperedStore) as refused:
        open_barrier(surroundings, bytearray(root_key))
    assert (Tampering.KEYRING_EDITED, "barrier/keyring/1") in {(one.kind, one.place) for one in refused.value.findings}
    reader = Barrier.load(surroundings, bytearray(root_key), is_reader=True)
    assert (Tampering.KEYRING_EDITED, "barrier/keyring/1") in findings(reader, store)
    reader.seal()


def test_a_destroyed_keyring_that_is_put_back_opens_nothing_and_is_found(
    barrier: Barrier, store: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    assign(barrier, (1, ("one",)), (2, ("two",)))
    before = row(store, "barrier/keyring/1")
    assign(barrier, (2, ("two",)), last=2)
    put_row(store, "barrier/keyring/1", before)
    barrier.seal()
    again = open_barrier(surroundings, bytearray(root_key))
    assert findings(again, store) == [(Tampering.INSERTED, "barrier/keyring/1")]
    with pytest.raises(LookupError):
        again.key_status(1)
    again.seal()


@pytest.mark.parametrize("is_missing", [True, False])
def test_an_assignment_that_is_not_the_right_one_keeps_the_vault_shut(
    barrier: Barrier,
    store: MemoryStore,
    surroundings: Surroundings,
    root_key: bytearray,
    is_missing: bool,  # noqa: FBT001 -- a parameter
) -> None:
    assign(barrier, (1, ("one",)))
    before, key = row(store, f"root/{ASSIGNMENT_KEY}"), f"root/{ASSIGNMENT_KEY}"
    put_row(store, key, None if is_missing else Record(before.version, before.value[:-1] + b"\x00\x00"))
    barrier.seal()
    with pytest.raises(TamperedStore) as refused:
        open_barrier(surroundings, bytearray(root_key))
    kind = Tampering.DELETED if is_missing else Tampering.EDITED
    assert [(one.kind, one.place) for one in refused.value.findings] == [(kind, key)]


def test_an_open_vault_does_not_follow_an_older_assignment(barrier: Barrier, store: MemoryStore) -> None:
    assign(barrier, (1, ("one",)))
    before = row(store, f"root/{ASSIGNMENT_KEY}")
    assign(barrier, (1, ()), (2, ("one",)))
    put_row(store, f"root/{ASSIGNMENT_KEY}", before)
    with pytest.raises(Damaged):
        barrier.refresh_keyrings()
    with pytest.raises(Damaged):
        write(barrier, ONE)


def test_a_keyring_that_is_damaged_while_the_vault_is_open_goes_on_and_can_be_stored_anew(
    barrier: Barrier, store: MemoryStore, surroundings: Surroundings, root_key: bytearray
) -> None:
    assign(barrier, (1, ("one",)))
    _edited(store, barrier)
    barrier.refresh_keyrings()
    write(barrier, ONE)
    assert findings(barrier, store) == [(Tampering.KEYRING_EDITED, "barrier/keyring/1")]
    barrier.rotate(1)
    barrier.seal()
    again = open_barrier(surroundings, bytearray(root_key))
    assert read(again, ONE) == b"value"
    again.seal()


@pytest.mark.parametrize("damage", [_edited, _missing])
def test_once_the_loss_of_a_keyring_is_accepted_the_rest_of_the_vault_opens(
    barrier: Barrier,
    store: MemoryStore,
    surroundings: Surroundings,
    root_key: bytearray,
    damage: Callable[[MemoryStore, Barrier], None],
) -> None:
    assign(barrier, (1, ("one",)))
    write(barrier, ONE)
    write(barrier, TWO)
    damage(store, barrier)
    barrier.seal()
    reader = Barrier.load(surroundings, bytearray(root_key), is_reader=True)
    renew_root(reader, surroundings, counter=reader.root_counter())
    reader.seal()
    again = open_barrier(surroundings, bytearray(root_key))
    assert read(again, TWO) == b"value"
    with pytest.raises(Damaged):
        read(again, ONE)
    with pytest.raises(Unavailable, match="lost"):
        write(again, ONE)
    write(again, TWO)
    assign(again, last=1)
    write(again, ONE, b"anew")
    assert read(again, ONE) == b"anew"
    again.seal()


# Frozen

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "keyrings.json").read_text())
FROZEN = {
    int(one): tuple(Term(**{**term, "key": bytearray.fromhex(term["key"])}) for term in terms)
    for one, terms in VECTORS["keyrings"].items()
}


@pytest.mark.parametrize("vector", VECTORS["rows"], ids=lambda vector: f"{vector['id']} at {vector['at']}")
def test_a_frozen_keyring_opens_at_its_own_place_and_nowhere_else(vector: dict[str, Any]) -> None:
    record = Record(vector["version"], bytes.fromhex(vector["record"]))
    root_key = bytearray.fromhex(VECTORS["root_key"])
    if vector["expect"] == "damaged":
        with pytest.raises(Damaged):
            open_keyring(root_key, vector["at"], record)
        return
    assert open_keyring(root_key, vector["at"], record).terms == FROZEN[vector["id"]]


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: str(vector["key"]))
def test_a_frozen_record_of_an_environment_is_read_and_belongs_where_it_did(vector: dict[str, Any]) -> None:
    record = Record(vector["version"], bytes.fromhex(vector["record"]))
    areas = Areas(decode_assignment(VECTORS["assignment"].encode()), 1)
    assert areas.keyring_of(vector["key"]) == keyring_in(record) == vector["keyring"]
    opener = RecordCipher(FROZEN, SeededEntropy())
    assert opener.open(vector["key"], record) == bytes.fromhex(vector["plaintext"])
    assert encode_assignment(areas.assignment) == VECTORS["assignment"].encode()
