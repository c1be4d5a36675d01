from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from strongroom.barrier.barrier import Barrier, KeyStatus, Limits, Surroundings
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import Sealed
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Record, Unknown, Witness

LIMITS = Limits(block=16, term_invocations=1000)


class Faulty:
    """An entropy that can be told to fail in one of the two ways in which a random source fails."""

    def __init__(self, source: Entropy) -> None:
        self._source = source
        self.fault = ""

    def bytes(self, count: int) -> bytes:
        if self.fault == "raises":
            raise OSError("no random bytes")
        return self._source.bytes(count)[: count - (self.fault == "short")]

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class FailingStore(MemoryStore):
    """A store whose next commit of a key that begins with ``failing`` is not done, and raises."""

    failing = "nothing fails"
    error: Exception = Unknown("the disk failed")
    loses_answer = False

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        fails = any(key.startswith(self.failing) for key in puts)
        if not fails or self.loses_answer:
            super().commit(expected, puts, deletes, witness, is_urgent=is_urgent)
        if fails:
            raise self.error


def create(surroundings: Surroundings, root_key: bytearray) -> Barrier:
    created = Barrier.create(surroundings, bytearray(root_key))
    with created.transaction() as transaction:
        surroundings.store.commit({}, created.founding_records(transaction), (), created.witness)
    return Barrier.load(surroundings, bytearray(root_key))


def write(barrier: Barrier, *keys: str) -> None:
    with barrier.transaction() as transaction:
        for key in keys:
            transaction.put(key, b"value of " + key.encode())
        barrier.commit(transaction)


def read(barrier: Barrier, key: str) -> bytes | None:
    with barrier.transaction() as transaction:
        return transaction.get(key)


def version(barrier: Barrier, key: str) -> int:
    with barrier.transaction() as transaction:
        found = transaction.version(key)
    assert found is not None
    return found


def records(store: MemoryStore) -> dict[str, Record]:
    with store.snapshot() as snapshot:
        return {key: record for key in snapshot.keys("") if (record := snapshot.get(key)) is not None}


def test_what_is_written_is_read_after_a_restart(surroundings: Surroundings, root_key: bytearray) -> None:
    write(create(surroundings, root_key), "a", "b/c")
    again = Barrier.load(surroundings, bytearray(root_key))
    assert (read(again, "a"), read(again, "b/c"), read(again, "d")) == (b"value of a", b"value of b/c", None)


def test_another_root_key_opens_nothing(surroundings: Surroundings, root_key: bytearray) -> None:
    create(surroundings, root_key)
    with pytest.raises(Damaged):
        Barrier.load(surroundings, bytearray(32))


def test_an_empty_store_has_no_barrier(surroundings: Surroundings, root_key: bytearray) -> None:
    with pytest.raises(Damaged):
        Barrier.load(surroundings, root_key)


def test_each_tenants_records_lie_under_its_name(barrier: Barrier, store: MemoryStore) -> None:
    write(barrier, "a/b")
    assert "root/a/b" in records(store)


def test_each_writing_has_a_number_of_its_own_whatever_happens_between(
    surroundings: Surroundings, root_key: bytearray
) -> None:
    barrier = create(surroundings, root_key)
    seen: list[int] = []
    for step in range(60):
        if step % 7 == 3:
            barrier = Barrier.load(surroundings, bytearray(root_key))  # the old one is dropped as a crash would
        if step % 9 == 5:
            barrier.rotate()
        write(barrier, "a")
        seen.append(version(barrier, "a"))
        with barrier.transaction() as transaction:
            transaction.delete("a")
            barrier.commit(transaction)
    assert seen == sorted(set(seen))


def test_numbers_are_reserved_before_they_are_used(surroundings: Surroundings, root_key: bytearray) -> None:
    barrier = create(surroundings, root_key)
    for _ in range(3):
        write(barrier, *[f"k{number}" for number in range(10)])
        reserved = records_of(surroundings)["barrier/counter/0"].version
        assert all(version(barrier, f"k{number}") < reserved for number in range(10))


def records_of(surroundings: Surroundings) -> dict[str, Record]:
    with surroundings.store.snapshot() as snapshot:
        return {key: record for key in snapshot.keys("") if (record := snapshot.get(key)) is not None}


def test_a_commit_may_be_larger_than_a_block(surroundings: Surroundings, root_key: bytearray) -> None:
    barrier = create(surroundings, root_key)
    keys = [f"k{number:03}" for number in range(100)]
    write(barrier, *keys)
    assert len({version(barrier, key) for key in keys}) == 100


def test_without_a_durable_reservation_nothing_is_encrypted(
    clock: Clock, entropy: Entropy, root_key: bytearray
) -> None:
    store = FailingStore()
    barrier = create(Surroundings(store, clock, entropy, LIMITS), root_key)
    store.failing = "barrier/counter"
    with pytest.raises(Unknown):
        write(barrier, "a")
    assert "root/a" not in records(store)


def test_a_reservation_whose_answer_was_lost_is_never_used_twice(
    clock: Clock, entropy: Entropy, root_key: bytearray
) -> None:
    store = FailingStore()
    surroundings = Surroundings(store, clock, entropy, LIMITS)
    barrier = create(surroundings, root_key)
    store.failing, store.loses_answer = "barrier/counter", True
    with pytest.raises(Unknown):
        write(barrier, "a")
    lost = records(store)["barrier/counter/0"].version
    store.failing = "nothing fails"
    again = Barrier.load(surroundings, bytearray(root_key))
    write(again, "a")
    assert version(again, "a") >= lost


def test_two_barriers_on_one_store_never_share_a_number(surroundings: Surroundings, root_key: bytearray) -> None:
    one = create(surroundings, root_key)
    two = Barrier.load(surroundings, bytearray(root_key))
    numbers: list[int] = []
    for step in range(40):
        for name, barrier in (("one", one), ("two", two)):
            write(barrier, f"{name}/{step}")
            numbers.append(version(barrier, f"{name}/{step}"))
    assert len(set(numbers)) == len(numbers)


def test_a_counter_that_was_set_back_stops_the_encryption(
    surroundings: Surroundings, store: MemoryStore, root_key: bytearray
) -> None:
    barrier = create(surroundings, root_key)
    early = records(store)["barrier/counter/0"]
    write(barrier, *[f"k{number}" for number in range(20)])
    store.commit({}, {"barrier/counter/0": early}, ())
    with pytest.raises(Damaged):
        write(barrier, *[f"l{number}" for number in range(40)])
    assert "root/l0" not in records(store)


def test_no_two_records_share_a_nonce(barrier: Barrier, store: MemoryStore) -> None:
    nonces: set[bytes] = set()
    for _ in range(20):
        write(barrier, *[f"k{number}" for number in range(100)])
        nonces |= {record.value[7:19] for key, record in records(store).items() if key.startswith("root/")}
    assert len(nonces) == 2000


@pytest.mark.parametrize("fault", ["raises", "short"])
def test_a_failing_random_source_fails_the_write_and_stores_nothing(
    store: MemoryStore, clock: Clock, entropy: Entropy, root_key: bytearray, fault: str
) -> None:
    faulty = Faulty(entropy)
    barrier = create(Surroundings(store, clock, faulty, LIMITS), root_key)
    write(barrier, "before")
    present = records(store)
    faulty.fault = fault
    for act in (lambda: write(barrier, "a"), barrier.rotate):
        with pytest.raises(OSError, match="random"):
            act()
    assert records(store) == present
    faulty.fault = ""
    write(barrier, "a")
    assert barrier.key_status().term == 1


def test_a_rotation_is_seen_and_old_records_stay_readable(barrier: Barrier, store: MemoryStore) -> None:
    write(barrier, "old")
    assert barrier.rotate() == 2
    write(barrier, "new")
    assert (read(barrier, "old"), read(barrier, "new")) == (b"value of old", b"value of new")
    terms = {key: int.from_bytes(record.value[3:7], "big") for key, record in records(store).items()}
    assert (terms["root/old"], terms["root/new"]) == (1, 2)


def test_the_key_status_tells_the_term_and_counts_its_encryptions(
    surroundings: Surroundings, root_key: bytearray, clock: Clock
) -> None:
    barrier = create(surroundings, root_key)
    barrier.rotate()
    assert barrier.key_status() == KeyStatus(2, clock.now_ns(), 0)
    write(barrier, "a", "b")
    write(barrier, "c")
    assert barrier.key_status().encryptions == 3
    restarted = Barrier.load(surroundings, bytearray(root_key)).key_status()
    assert (restarted.term, restarted.install_time_ns) == (2, clock.now_ns())
    assert 3 <= restarted.encryptions <= 3 + LIMITS.block


def test_the_term_is_rotated_before_it_did_more_than_its_limit(
    store: MemoryStore, clock: Clock, entropy: Entropy, root_key: bytearray
) -> None:
    surroundings = Surroundings(store, clock, entropy, Limits(block=4, term_invocations=10))
    barrier = create(surroundings, root_key)
    for number in range(40):
        write(barrier, f"{number}", f"{number}+")
    with store.snapshot() as snapshot:
        found = [snapshot.get(key) for key in snapshot.keys("root/")]
    terms = [int.from_bytes(record.value[3:7], "big") for record in found if record]
    assert len(terms) == 80
    assert max(terms.count(term) for term in set(terms)) <= 10
    assert barrier.key_status().term == max(terms)
    assert all(read(barrier, f"{number}") for number in range(40))


@pytest.mark.parametrize("loses_answer", [False, True])
def test_a_failed_rotation_encrypts_with_nothing_that_is_not_stored(
    clock: Clock, entropy: Entropy, root_key: bytearray, *, loses_answer: bool
) -> None:
    store = FailingStore()
    surroundings = Surroundings(store, clock, entropy, LIMITS)
    barrier = create(surroundings, root_key)
    write(barrier, "before")
    store.failing, store.loses_answer = "barrier/keyring", loses_answer
    with pytest.raises(Unknown):
        barrier.rotate()
    store.failing = "nothing fails"
    write(barrier, "after")
    again = Barrier.load(surroundings, bytearray(root_key))
    assert (read(again, "before"), read(again, "after")) == (b"value of before", b"value of after")
    assert again.key_status().term == (2 if loses_answer else 1)


def test_a_keyring_changed_by_somebody_else_stops_the_rotation(barrier: Barrier, store: MemoryStore) -> None:
    found = records(store)["barrier/keyring/0"]
    store.commit({}, {"barrier/keyring/0": Record(found.version + 5, found.value)}, ())
    with pytest.raises(Damaged):
        barrier.rotate()
    assert barrier.key_status().term == 1


def test_a_finished_transaction_is_empty_and_its_snapshot_closed(barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        transaction.get("a")
        transaction.put("a", b"1")
        barrier.commit(transaction)
        assert not transaction.has_changes
        barrier.commit(transaction)
    assert read(barrier, "a") == b"1"


def test_a_sealed_barrier_does_nothing_any_more(barrier: Barrier, store: MemoryStore) -> None:
    write(barrier, "a")
    pending = barrier.transaction()
    pending.put("b", b"too late")
    deleting = barrier.transaction()
    deleting.delete("a")
    present = records(store)
    barrier.seal()
    barrier.seal()
    acts: list[Callable[[], object]] = [
        barrier.transaction,
        lambda: barrier.commit(pending),
        lambda: barrier.commit(deleting),
        lambda: pending.get("a"),
        barrier.rotate,
        barrier.key_status,
        barrier.copy_root_key,
        lambda: barrier.derive(b"purpose"),
    ]
    for act in acts:
        with pytest.raises(Sealed):
            act()
    assert records(store) == present


def test_sealing_overwrites_the_root_key_and_every_term(surroundings: Surroundings, root_key: bytearray) -> None:
    create(surroundings, root_key).rotate()
    given = bytearray(root_key)
    barrier = Barrier.load(surroundings, given)
    keys = [term.key for term in barrier._keys.keyrings.root.terms]
    assert all(any(key) for key in keys)
    barrier.seal()
    assert not any(given)
    assert not any(any(key) for key in keys)


def test_different_purposes_give_different_keys(barrier: Barrier) -> None:
    assert barrier.derive(b"one") == barrier.derive(b"one")
    assert barrier.derive(b"one") != barrier.derive(b"two")
    assert barrier.copy_root_key() not in (barrier.derive(b"one"), barrier.derive(b""))


def test_counters_raised_through_the_barrier_by_many_threads_lose_no_count(barrier: Barrier) -> None:
    def raise_counter() -> None:
        done = 0
        while done < 20:
            with barrier.transaction() as transaction:
                count = int(transaction.get("count") or b"0")
                transaction.put("count", b"%d" % (count + 1))
                try:
                    barrier.commit(transaction)
                except Conflict:
                    continue
            done += 1
            if done == 10:
                barrier.rotate()

    threads = [threading.Thread(target=raise_counter) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(barrier, "count") == b"100"
    assert barrier.key_status().term == 6


@pytest.mark.parametrize("patience", [3, 10_000])
def test_a_reservation_that_is_overtaken_is_tried_again_but_not_for_ever(
    clock: Clock, entropy: Entropy, root_key: bytearray, patience: int
) -> None:
    class Overtaken(FailingStore):
        conflicts = 0

        def commit(self, *arguments: Any, **options: Any) -> None:
            if "barrier/counter/0" in arguments[1] and self.conflicts:
                self.conflicts -= 1
                raise Conflict("another was faster")
            super().commit(*arguments, **options)

    store = Overtaken()
    barrier = create(Surroundings(store, clock, entropy, LIMITS), root_key)
    store.conflicts = patience
    if patience > 100:
        with pytest.raises(Conflict):
            write(barrier, "a")
        store.conflicts = 0
    write(barrier, "a")
    assert read(barrier, "a") == b"value of a"
