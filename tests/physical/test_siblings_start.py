"""Processes of one server that open a new database at the same moment."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import apsw
import pytest

from strongroom.physical.sqlite import SqliteStore, connection
from strongroom.physical.store import Unavailable


def opened(folder: str) -> str:
    try:
        SqliteStore(folder, is_shared=True).close()
    except Unavailable as failure:
        return repr(failure)
    return ""


def test_several_processes_may_make_and_leave_the_same_database_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as processes:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir(mode=0o700)
            assert processes.map(opened, [os.fspath(folder)] * 3, chunksize=1) == ["", "", ""]


def test_a_file_that_a_sibling_removes_while_it_is_looked_at_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteStore(tmp_path / "data").close()
    journal = tmp_path / "data" / "strongroom.db-journal"
    journal.touch(0o600)
    look = Path.lstat

    def is_removed_before(path: Path) -> os.stat_result:
        if path == journal:
            journal.unlink(missing_ok=True)
        return look(path)

    monkeypatch.setattr(Path, "lstat", is_removed_before)
    SqliteStore(tmp_path / "data").close()
    assert not journal.exists()


def test_a_lock_that_nobody_gives_back_is_told_and_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteStore(tmp_path / "data").close()
    (found,) = (path for path in (tmp_path / "data").iterdir() if path.read_bytes().startswith(b"SQLite format 3"))
    monkeypatch.setattr(connection, "BUSY_MILLISECONDS", 50)
    holder = apsw.Connection(str(found))
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="cannot be used"):
        SqliteStore(tmp_path / "data")
    holder.close()
    SqliteStore(tmp_path / "data").close()
