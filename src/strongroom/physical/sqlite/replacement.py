"""Putting another database in the place of a data folder's own: built beside it, and moved in once it is whole.

The caller holds the folder (``hold_folder``), so no server has it open. At every moment the folder holds the old database, none, or the new one,
and never a part of either; what is replaced lies in a folder of its own afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from strongroom import failpoints
from strongroom.physical.sqlite.folder import ASIDE, DATABASE, FILES, mark_folder
from strongroom.physical.sqlite.store import SqliteStore
from strongroom.physical.store import StoreError, Unavailable

STAGING = "restoring"
_FOLDER_MODE = 0o700


def has_database(folder: Path) -> bool:
    """Whether a database lies in the folder; an empty file is none."""
    return any(os.path.lexists(folder / name) and (folder / name).lstat().st_size > 0 for name in FILES[:2])


@contextlib.contextmanager
def present_store(folder: Path) -> Iterator[SqliteStore | None]:
    """The database that is there, or None where there is none or it cannot be used. The folder must be held by the caller."""
    store = None
    if has_database(folder):
        with contextlib.suppress(StoreError, OSError):
            store = SqliteStore(folder, is_shared=True)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


class Replacement:
    """A new database for ``folder``, which is held by the caller. Raises OSError, and what opening a store raises."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = folder / STAGING
        self.discard()
        self._staging.mkdir(mode=_FOLDER_MODE)
        try:
            self.store = SqliteStore(self._staging)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Remove what was built, by this process or by one that was killed."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def install(self, mark: str) -> Path | None:
        """Close the new database and move it to its place. Answers where the old one lies now, if there was one.

        ``mark`` goes into that folder's name.
        """
        self.store.close()
        built = self._staging / DATABASE
        if (self._staging / f"{DATABASE}-wal").exists():
            raise Unavailable("the new database could not be finished; check the disk")
        _sync(built)
        failpoints.reach("restore_before_swap")
        # Before there is no database for a moment: who ends us then must not leave a folder in which anybody may begin a vault.
        mark_folder(self.folder)
        aside = self._put_aside(mark)
        failpoints.reach("restore_after_aside")
        built.rename(self.folder / DATABASE)
        _sync(self.folder)
        failpoints.reach("restore_after_swap")
        self.discard()
        _sync(self.folder)
        return aside

    def _put_aside(self, mark: str) -> Path | None:
        """The old files get second names first, so that they are whole there before they go from here."""
        found = [name for name in FILES if os.path.lexists(self.folder / name)]
        aside = None
        if has_database(self.folder):
            aside = self.folder / f"{ASIDE}{mark}"
            aside.mkdir(mode=_FOLDER_MODE)
            for name in found:
                _second_name(self.folder / name, aside / name)
            _sync(aside)
            _sync(self.folder)
        # The database first: a journal without one is nothing.
        for name in found:
            (self.folder / name).unlink()
        _sync(self.folder)
        return aside


def _second_name(old: Path, new: Path) -> None:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)
        _sync(new)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
