"""Several processes and processes that are killed leave the root record in step with the records."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.barrier.older import to_first_format
from tests.integrity import worker
from tests.kit import SeededEntropy

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.barrier.unsealing import open_barrier
from strongroom.logical.ambient import SystemClock
from strongroom.physical.sqlite import SqliteStore

KEY = bytes(range(32))


def make(folder: Path, *, is_first_format: bool = False) -> None:
    store = SqliteStore(folder)
    surroundings = Surroundings(store, SystemClock(), SeededEntropy())
    created = Barrier.create(surroundings, bytearray(KEY))
    with created.transaction() as transaction:
        for number in range(12):
            transaction.put(f"k{number}", b"first")
        store.commit({}, created.founding_records(transaction), (), created.witness)
    if is_first_format:
        to_first_format(store, KEY, surroundings.entropy)
    store.close()


def start(folder: Path, *arguments: object) -> subprocess.Popen[bytes]:
    argv = [sys.executable, worker.__file__, str(folder), KEY.hex(), *map(str, arguments)]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL)


def findings(folder: Path) -> tuple[list[object], int]:
    store = SqliteStore(folder)
    barrier = open_barrier(Surroundings(store, SystemClock(), SeededEntropy()), bytearray(KEY))
    inspection = Inspection(barrier, store)
    for _ in inspection.run():
        pass
    assert inspection.root is not None
    counter = inspection.root.counter
    barrier.seal()
    store.close()
    return list(inspection.findings), counter


def test_processes_that_write_at_once_keep_one_root_record_in_step(tmp_path: Path) -> None:
    make(tmp_path / "data")
    processes = [start(tmp_path / "data", seed, 120) for seed in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    found, counter = findings(tmp_path / "data")
    assert found == []
    # One for each transaction that changed something, and those that reserved numbers.
    assert counter > 200


@pytest.mark.parametrize("number", [1, 2, 9, 23])
@pytest.mark.parametrize(
    "point", ["before_store_begin", "after_store_begin", "before_commit", "after_commit_before_ack", "counter_after_persist"]
)  # fmt: skip
def test_a_process_that_is_killed_leaves_record_and_root_in_step(tmp_path: Path, point: str, number: int) -> None:
    if point == "counter_after_persist" and number > 2:
        pytest.skip("so many blocks are not reserved")
    make(tmp_path / "data")
    process = start(tmp_path / "data", 5, 60, point, number)
    assert process.wait(60) == -signal.SIGKILL
    assert findings(tmp_path / "data")[0] == []


@pytest.mark.parametrize(
    "point", ["before_store_begin", "after_store_begin", "before_commit", "after_commit_before_ack"]
)
def test_an_upgrade_that_is_killed_is_made_at_the_next_unseal(tmp_path: Path, point: str) -> None:
    make(tmp_path / "data", is_first_format=True)
    process = start(tmp_path / "data", 5, 0, point)
    assert process.wait(60) == -signal.SIGKILL
    store = SqliteStore(tmp_path / "data")
    with store.snapshot() as snapshot:
        assert (snapshot.get(ROOT_KEY) is not None) is (point == "after_commit_before_ack")
    store.close()
    assert findings(tmp_path / "data") == ([], 1)
