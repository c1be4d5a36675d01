"""What the root record costs. Prints numbers; fails only where something grew out of all proportion."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import pytest
from tests.barrier.conftest import found
from tests.kit import SeededEntropy

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.logical.ambient import SystemClock
from strongroom.physical.sqlite import SqliteStore

BATCH = 16
ROUNDS = 120


def test_the_cost_of_the_root_record_is_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = SqliteStore(tmp_path / "data")
    barrier = found(Surroundings(store, SystemClock(), SeededEntropy()), bytearray(32))
    keys = [f"logical/2b1f6a04-0000-4000-8000-000000000000/k{number}" for number in range(800)]

    def write(count: int) -> Callable[[int], None]:
        def once(number: int) -> None:
            with barrier.transaction() as transaction:
                for offset in range(count):
                    key = keys[(number * count + offset) % len(keys)]
                    transaction.get(key)
                    transaction.put(key, b"x" * 300)
                barrier.commit(transaction)

        return once

    write(len(keys))(0)
    before = time.process_time()
    inspection = Inspection(barrier, store)
    steps = sum(1 for _ in inspection.run())
    inspected = (time.process_time() - before) / inspection.records * 1e6
    assert inspection.findings == []
    many, one = _difference(barrier, write(BATCH)), _difference(barrier, write(1))
    with store.snapshot() as snapshot:
        record = snapshot.get(ROOT_KEY)
    assert record is not None
    store.close()
    per_record = (many - one) / (BATCH - 1)
    with capsys.disabled():
        print(  # noqa: T201 -- the numbers are the purpose
            f"\nroot record: {len(record.value)} bytes; a transaction {one - per_record:.1f} µs, each record {per_record:.1f} µs;"
            f" inspection {inspected:.1f} µs a record in {steps} steps"
        )


def _difference(barrier: Barrier, write: Callable[[int], None]) -> float:
    """Microseconds of processor time that the witness takes: a low decile, which the rest of the machine disturbs least."""
    witness = barrier.witness
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * ROUNDS):
        is_on = number % 2 == 0
        barrier.witness = witness if is_on else None  # type: ignore[assignment] # a store without one, to compare with
        before = time.process_time()
        write(number)
        times[is_on].append(time.process_time() - before)
    barrier.witness = witness
    return (quantiles(times[True], n=10)[0] - quantiles(times[False], n=10)[0]) * 1e6
