"""A database has one name: under a second one another server could open it too."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.physical.stores import keys, put

from strongroom.physical.sqlite import Replacement, SqliteStore, hold_folder
from strongroom.physical.store import Unavailable


@pytest.mark.parametrize("name", ["strongroom.db", "strongroom.db-wal"])
def test_a_file_with_a_second_name_stops_the_start(folder: Path, tmp_path: Path, name: str) -> None:
    SqliteStore(folder).close()
    (folder / name).touch(mode=0o600)
    (tmp_path / "second").hardlink_to(folder / name)
    with pytest.raises(Unavailable, match="second name"):
        SqliteStore(folder)
    (tmp_path / "second").unlink()
    SqliteStore(folder).close()


def test_what_a_restore_had_begun_to_put_aside_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = SqliteStore(folder)
    put(old, "old")
    old.close()
    held = hold_folder(folder)
    replacement = Replacement(folder)

    def end(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", end)
        with pytest.raises(KeyboardInterrupt):
            replacement.install("mark")
    held.release()
    (second,) = folder.glob("replaced-*/strongroom.db")
    assert second.stat().st_nlink == 2
    store = SqliteStore(folder)
    assert keys(store) == ["old"]
    assert not second.exists()
    store.close()
