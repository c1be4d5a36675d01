from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from strongroom.barrier.barrier import Barrier, Limits, Surroundings
from strongroom.physical.memory import MemoryStore


class FakeClock:
    """A clock that goes only when it is told to."""

    def __init__(self, now_ns: int = 1_700_000_000_000_000_000) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic(self) -> float:
        return self.at_ns / 1e9


class SeededEntropy:
    """Random bytes that are the same in each run. ``short`` makes it return one byte too few."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)
        self.short = False

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count - self.short)

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def entropy() -> SeededEntropy:
    return SeededEntropy()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def surroundings(store: MemoryStore, clock: FakeClock, entropy: SeededEntropy) -> Surroundings:
    return Surroundings(store, clock, entropy, Limits(block=16, term_invocations=1000))


@pytest.fixture
def root_key() -> bytearray:
    return bytearray(range(32))


@pytest.fixture
def barrier(surroundings: Surroundings, root_key: bytearray) -> Iterator[Barrier]:
    barrier = found(surroundings, root_key)
    yield barrier
    barrier.seal()


def found(surroundings: Surroundings, root_key: bytearray) -> Barrier:
    """A new barrier with its records stored, loaded as an unseal would."""
    created = Barrier.create(surroundings, bytearray(root_key))
    with created.transaction() as transaction:
        surroundings.store.commit({}, created.founding_records(transaction), (), created.witness)
    created.seal()
    return Barrier.load(surroundings, bytearray(root_key))


def write(barrier: Barrier, **values: bytes | None) -> None:
    with barrier.transaction() as transaction:
        for key, value in values.items():
            if value is None:
                transaction.delete(key)
            else:
                transaction.put(key, value)
        barrier.commit(transaction)


def read(barrier: Barrier, key: str) -> bytes | None:
    with barrier.transaction() as transaction:
        return transaction.get(key)
