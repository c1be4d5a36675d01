"""A snapshot's state changes with every commit, whoever it is that commits."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from tests.physical.stores import put

from strongroom.physical.sqlite import SqliteStore


def state_of(store: SqliteStore) -> object:
    with store.snapshot() as snapshot:
        return snapshot.state


def test_what_a_sibling_process_commits_is_another_state(folder: Path) -> None:
    mine, sibling = SqliteStore(folder, is_shared=True), SqliteStore(folder, is_shared=True)
    try:
        put(mine, "a")
        before = state_of(mine)
        assert state_of(mine) == before
        put(sibling, "a", version=2)
        after = state_of(mine)
        assert after != before
        assert state_of(mine) == after
        put(mine, "a", version=3)
        assert state_of(mine) != after
    finally:
        mine.close()
        sibling.close()


@pytest.mark.parametrize("mode", [apsw.SQLITE_CHECKPOINT_PASSIVE, apsw.SQLITE_CHECKPOINT_TRUNCATE])
def test_what_is_committed_after_a_checkpoint_is_another_state(store: SqliteStore, mode: int) -> None:
    for number in range(50):
        put(store, f"k{number}")
        before = state_of(store)
        store._writer.wal_checkpoint(mode=mode)
        put(store, f"k{number}", version=2)
        assert state_of(store) != before


def test_what_another_program_changes_is_another_state(store: SqliteStore, folder: Path) -> None:
    put(store, "a")
    before = state_of(store)
    other = apsw.Connection(str(folder / "strongroom.db"))
    other.execute("UPDATE records SET value = x'00'")
    other.close()
    assert state_of(store) != before
