"""SQLite's log gets long where there is space enough to bring it into the database whatever happens, and stays short elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.sqlite.log_length import LONG_PAGES, LONG_RESERVE_BYTES, PLENTY_BYTES, SHORT_PAGES
from strongroom.physical.sqlite.reserve import RESERVE_FILE_BYTES
from strongroom.physical.store import Record

FRAME_BYTES = 4096 + 24
PAGES_A_COMMIT = 260
VALUE = bytes(PAGES_A_COMMIT * 4096 - 8192)


def free(store: SqliteStore, count: int) -> None:
    """Have the file system say that it has so many bytes left."""
    store._folder.free_bytes = lambda: count  # type: ignore[method-assign]  # a disk that is as full as we say


def write(store: SqliteStore, pages: int) -> None:
    """Commit until so many pages went through the log."""
    for number in range(pages // PAGES_A_COMMIT + 1):
        store.commit({}, {f"key/{number:05}": Record(1, VALUE)}, ())


def log_pages(folder: Path) -> int:
    """How long the log ever was: its file does not get shorter while the store is open."""
    return (folder / "strongroom.db-wal").stat().st_size // FRAME_BYTES


def reserved(folder: Path) -> int:
    return (folder / "reserve").stat().st_size


def test_with_plenty_of_space_the_log_gets_long_and_as_much_is_kept_back(store: SqliteStore, folder: Path) -> None:
    free(store, 10 * PLENTY_BYTES)
    write(store, 2 * LONG_PAGES)
    assert LONG_PAGES <= log_pages(folder) < LONG_PAGES + 2 * PAGES_A_COMMIT
    assert reserved(folder) == LONG_RESERVE_BYTES
    assert (folder / "reserve").stat().st_blocks * 512 >= LONG_RESERVE_BYTES


def test_what_bringing_the_longest_log_in_may_take_is_less_than_what_is_kept_back() -> None:
    assert LONG_RESERVE_BYTES >= LONG_PAGES * 4096 + RESERVE_FILE_BYTES


def test_without_plenty_of_space_the_log_stays_short(store: SqliteStore, folder: Path) -> None:
    free(store, PLENTY_BYTES)
    write(store, 4 * SHORT_PAGES)
    assert log_pages(folder) < SHORT_PAGES + 2 * PAGES_A_COMMIT
    assert reserved(folder) == RESERVE_FILE_BYTES


def test_where_as_much_cannot_be_kept_back_the_log_stays_short(
    store: SqliteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    free(store, 10 * PLENTY_BYTES)
    write(store, 4 * SHORT_PAGES)
    assert log_pages(folder) < SHORT_PAGES + 2 * PAGES_A_COMMIT
    assert reserved(folder) == RESERVE_FILE_BYTES


def test_a_long_log_has_its_reserve_again_after_a_sibling_gave_that_up(store: SqliteStore, folder: Path) -> None:
    free(store, 10 * PLENTY_BYTES)
    write(store, 2 * SHORT_PAGES)
    os.truncate(folder / "reserve", 0)
    store.commit({}, {"small": Record(1, b"x")}, ())
    assert (folder / "reserve").stat().st_blocks * 512 >= LONG_RESERVE_BYTES


def test_a_long_log_is_brought_in_with_the_first_commit_once_space_is_short(store: SqliteStore, folder: Path) -> None:
    free(store, 10 * PLENTY_BYTES)
    write(store, LONG_PAGES - 2 * PAGES_A_COMMIT)
    before = (folder / "strongroom.db").stat().st_size
    assert log_pages(folder) > 3 * SHORT_PAGES
    assert before < SHORT_PAGES * 4096, "it is all in the log"
    free(store, PLENTY_BYTES - 1)
    store.commit({}, {"small": Record(1, bytes(PAGES_A_COMMIT))}, ())
    assert (folder / "strongroom.db").stat().st_size > 3 * SHORT_PAGES * 4096


def test_a_server_that_writes_little_keeps_little_back(store: SqliteStore, folder: Path) -> None:
    write(store, SHORT_PAGES // 2)
    assert reserved(folder) == RESERVE_FILE_BYTES
