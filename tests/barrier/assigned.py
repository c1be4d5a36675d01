"""Barriers with several keyrings: assigned, written, looked into."""

from __future__ import annotations

from strongroom.barrier.assignment import ASSIGNMENT_KEY, Assignment, encode_assignment
from strongroom.barrier.barrier import Barrier
from strongroom.barrier.record import keyring_in
from strongroom.physical.store import Store

ONE, TWO = "logical/one/a", "logical/two/a"
"""A row in each of two mounts."""


def assign(barrier: Barrier, *keyrings: tuple[int, tuple[str, ...]], last: int = 0) -> None:
    """Have these keyrings seal these mounts, and no others."""
    assignment = Assignment(max([last, *(one for one, _ in keyrings)]), dict(keyrings))
    write(barrier, ASSIGNMENT_KEY, encode_assignment(assignment))


def write(barrier: Barrier, key: str, value: bytes = b"value") -> None:
    """Put one row."""
    with barrier.transaction() as transaction:
        transaction.put(key, value)
        barrier.commit(transaction)


def read(barrier: Barrier, key: str) -> bytes | None:
    """What one row holds."""
    with barrier.transaction() as transaction:
        return transaction.get(key)


def keyring_of(store: Store, key: str) -> tuple[int, int]:
    """The keyring and the term that the row in the store lies under."""
    with store.snapshot() as snapshot:
        record = snapshot.get(f"root/{key}")
    assert record is not None
    return keyring_in(record), int.from_bytes(record.value[3:7], "big")


def rows(store: Store) -> list[str]:
    """The keys of the stored keyrings."""
    with store.snapshot() as snapshot:
        return snapshot.keys("barrier/keyring/")
