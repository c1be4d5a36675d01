"""The space that only urgent commits may use, on a file system whose free space a test decides."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.sqlite.reserve import RESERVE_FILE_BYTES, Reserve
from strongroom.physical.store import Full, Record, Unavailable

MEGABYTE = 1024 * 1024


class Disk:
    """``free`` bytes, besides those that the reserve holds."""

    def __init__(self, store: SqliteStore, folder: Path) -> None:
        self.free = 100 * MEGABYTE
        self._reserve = folder / "reserve"
        store._folder.free_bytes = self.free_bytes  # type: ignore[method-assign]  # a disk that is as full as we say

    def free_bytes(self) -> int:
        return self.free + RESERVE_FILE_BYTES - self._reserve.stat().st_size


@pytest.fixture
def disk(store: SqliteStore, folder: Path) -> Disk:
    return Disk(store, folder)


def put(store: SqliteStore, key: str, *, is_urgent: bool = False) -> None:
    store.commit({}, {key: Record(1, b"x")}, (), is_urgent=is_urgent)


def keys(store: SqliteStore) -> list[str]:
    with store.snapshot() as snapshot:
        return snapshot.keys("")


@pytest.mark.usefixtures("store")
def test_the_space_is_held_from_the_start_and_closed_to_others(folder: Path) -> None:
    state = (folder / "reserve").stat()
    assert state.st_size == RESERVE_FILE_BYTES
    assert state.st_blocks * 512 >= RESERVE_FILE_BYTES
    assert stat.S_IMODE(state.st_mode) == 0o600


def test_what_is_urgent_is_written_where_nothing_else_is(store: SqliteStore, disk: Disk) -> None:
    disk.free = 200 * 1024
    with pytest.raises(Full, match="no space is left"):
        put(store, "ordinary")
    put(store, "urgent", is_urgent=True)
    assert keys(store) == ["urgent"]


def test_the_space_that_is_kept_back_is_given_up_for_what_is_urgent_alone(
    store: SqliteStore, disk: Disk, folder: Path
) -> None:
    disk.free = 0
    with pytest.raises(Full):
        put(store, "ordinary")
    assert (folder / "reserve").stat().st_size == RESERVE_FILE_BYTES
    put(store, "urgent", is_urgent=True)
    assert (folder / "reserve").stat().st_size == 0
    assert keys(store) == ["urgent"]


def test_without_any_space_what_is_urgent_is_refused_too_and_reads_go_on(store: SqliteStore, disk: Disk) -> None:
    put(store, "before")
    disk.free = -RESERVE_FILE_BYTES
    with pytest.raises(Full):
        put(store, "urgent", is_urgent=True)
    assert keys(store) == ["before"]


def test_the_space_is_taken_again_once_there_is_plenty(store: SqliteStore, disk: Disk, folder: Path) -> None:
    disk.free = 0
    put(store, "urgent", is_urgent=True)
    disk.free = 400 * 1024
    put(store, "ordinary")
    assert (folder / "reserve").stat().st_size == 0
    disk.free = 10 * MEGABYTE
    put(store, "more")
    assert (folder / "reserve").stat().st_size == RESERVE_FILE_BYTES


def test_of_changes_that_wait_together_the_urgent_ones_go_on(store: SqliteStore, disk: Disk) -> None:
    disk.free = 100 * 1024
    outcomes: dict[str, bool] = {}

    def commit(key: str, *, is_urgent: bool) -> None:
        try:
            put(store, key, is_urgent=is_urgent)
            outcomes[key] = True
        except Full:
            outcomes[key] = False

    threads = [
        threading.Thread(target=commit, args=(f"{number}",), kwargs={"is_urgent": number % 2 == 0})
        for number in range(4)
    ]
    with store._writing:
        for thread in threads:
            thread.start()
        while len(store._queue) < len(threads):
            pass
    for thread in threads:
        thread.join()
    assert outcomes == {"0": True, "1": False, "2": True, "3": False}
    assert keys(store) == ["0", "2"]


def test_what_a_sibling_gave_up_is_taken_again_by_whoever_commits_next(folder: Path) -> None:
    mine, sibling = SqliteStore(folder, is_shared=True), SqliteStore(folder, is_shared=True)
    try:
        disk = Disk(sibling, folder)
        disk.free = 0
        put(sibling, "urgent", is_urgent=True)
        assert (folder / "reserve").stat().st_size == 0
        put(mine, "ordinary")
        assert (folder / "reserve").stat().st_blocks * 512 >= RESERVE_FILE_BYTES
    finally:
        mine.close()
        sibling.close()


def test_a_reserve_that_others_may_write_stops_the_start(folder: Path) -> None:
    SqliteStore(folder).close()
    (folder / "reserve").chmod(0o666)
    with pytest.raises(Unavailable, match="chmod 600"):
        SqliteStore(folder)


def test_a_link_in_the_place_of_the_reserve_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_bytes(b"kept")
    (tmp_path / "reserve").symlink_to(target)
    reserve = Reserve(tmp_path)
    assert not reserve.hold()
    reserve.give_up()
    assert target.read_bytes() == b"kept"


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve space")
def test_a_reserve_for_which_there_is_no_space_is_not_held(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    assert not reserve.hold(2**60)
    assert (tmp_path / "reserve").stat().st_size == 0


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system cannot reserve space")
def test_a_reserve_that_cannot_grow_stays_as_it_was(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    assert reserve.hold()
    assert not reserve.hold(2**60)
    state = (tmp_path / "reserve").stat()
    assert state.st_size == RESERVE_FILE_BYTES
    assert state.st_blocks * 512 >= RESERVE_FILE_BYTES
