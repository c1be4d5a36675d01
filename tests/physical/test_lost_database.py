"""Where there was a database once, none is made anew: its vault would be one that anybody may initialize."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.physical.stores import keys, put

from strongroom.physical.sqlite import Replacement, SqliteStore, hold_folder
from strongroom.physical.store import Unavailable

LOSSES: dict[str, Callable[[Path], object]] = {
    "removed": lambda database: database.unlink(),
    "emptied": lambda database: database.write_bytes(b""),
}


@pytest.fixture
def marked(folder: Path) -> Path:
    """A folder with the database of a vault that is closed."""
    store = SqliteStore(folder)
    put(store, "a")
    store.mark_founded()
    store.mark_founded()
    assert store.is_founded
    store.close()
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("how", LOSSES)
def test_a_database_that_is_gone_stops_the_start_and_none_is_made(marked: Path, how: str) -> None:
    LOSSES[how](marked / "strongroom.db")
    before = names(marked)
    with pytest.raises(Unavailable, match=r"the file founded says that there was one.*restore a backup"):
        SqliteStore(marked)
    assert names(marked) == before


@pytest.mark.parametrize("how", LOSSES)
def test_a_log_without_its_database_stops_the_start_and_is_kept(folder: Path, tmp_path: Path, how: str) -> None:
    store = SqliteStore(folder)
    put(store, "a")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    store.close()
    whole = tmp_path / "whole.db"
    shutil.copy2(copy / "strongroom.db", whole)
    LOSSES[how](copy / "strongroom.db")
    log = (copy / "strongroom.db-wal").read_bytes()
    with pytest.raises(Unavailable, match=r"strongroom\.db-wal says that there was one"):
        SqliteStore(copy)
    assert (copy / "strongroom.db-wal").read_bytes() == log
    whole.replace(copy / "strongroom.db")
    put_back = SqliteStore(copy)
    assert keys(put_back) == ["a"]
    put_back.close()


def test_whatever_is_called_like_the_mark_is_one(folder: Path) -> None:
    SqliteStore(folder).close()
    (folder / "founded").write_bytes(b"")
    (folder / "founded").chmod(0o600)
    store = SqliteStore(folder)
    assert store.is_founded
    store.close()
    (folder / "founded").chmod(0o644)
    with pytest.raises(Unavailable, match="chmod 600"):
        SqliteStore(folder)


def test_the_mark_is_for_the_owner_alone_and_says_what_it_is(marked: Path) -> None:
    assert stat.S_IMODE((marked / "founded").stat().st_mode) == 0o600
    assert "restore a backup" in (marked / "founded").read_text()


def test_a_folder_that_cannot_be_marked_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(folder)

    def refuse(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("strongroom.physical.sqlite.folder.mark_folder", refuse)
    with pytest.raises(Unavailable, match="cannot be marked"):
        store.mark_founded()
    store.close()


def test_a_restore_marks_the_folder_before_the_old_database_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = SqliteStore(folder)
    put(old, "old")
    old.close()
    held = hold_folder(folder)
    replacement = Replacement(folder)
    put(replacement.store, "new")

    def end(name: str) -> None:
        if name == "restore_after_aside":
            raise KeyboardInterrupt

    monkeypatch.setattr("strongroom.failpoints.reach", end)
    with pytest.raises(KeyboardInterrupt):
        replacement.install("mark")
    held.release()
    with pytest.raises(Unavailable, match="restore a backup"):
        SqliteStore(folder)


def test_a_restore_that_cannot_begin_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteStore(folder).close()
    before = names(folder)

    def refuse(_: Path) -> None:
        raise Unavailable("no")

    monkeypatch.setattr("strongroom.physical.sqlite.replacement.SqliteStore", refuse)
    with pytest.raises(Unavailable):
        Replacement(folder)
    assert names(folder) == before
