"""A folder of backups that a server makes by itself: names that sort by time, and only so many of them.

The folder may hold other things, and backups of other vaults: they are left alone. What is counted and removed are files whose names this room
gives, of one vault.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.file import PARTIAL, NewFile, remove_if_abandoned, sync_folder
from strongroom.backup.reading import look
from strongroom.backup.writing import Task, Written, write_backup
from strongroom.logical.instant import NANOSECONDS
from strongroom.physical.store import Unavailable

SPARE_BYTES = 4 * 1024 * 1024
"""What a backup leaves free on the file system that the store lies on as well."""
_MODE = 0o700
_OTHERS = 0o077
NAME = re.compile(r"strongroom-([0-9]{8}T[0-9]{6}Z)-([0-9a-f]{8})-[0-9a-f]{8}\.backup")
"""How a backup of the schedule is called: its time, the vault, and a mark."""
_TIME = "%Y%m%dT%H%M%SZ"
_AHEAD_NS = 86400 * NANOSECONDS


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup in the folder, by its name. ``time_ns`` is in nanoseconds since the epoch."""

    path: Path
    time_ns: int


class BackupFolder:
    """The folder at ``path``. ``store_folder`` is where the store lies, if it lies in a folder. Raises OSError and Unavailable."""

    def __init__(self, path: Path, store_folder: Path | None = None) -> None:
        self.path = path
        self._store_folder = store_folder

    def make_ready(self) -> None:
        """Make the folder, for the owner alone; refuse one that others may use; remove what killed processes left behind."""
        try:
            self.path.mkdir(mode=_MODE, parents=True)
        except FileExistsError:
            state = self.path.stat()
            if not stat.S_ISDIR(state.st_mode):
                raise Unavailable("the path for backups is not a folder") from None
            if state.st_uid != os.geteuid() or state.st_mode & _OTHERS:
                raise Unavailable(
                    "the folder for backups is open to other users; give it to the server's user alone: chmod 700"
                ) from None
        else:
            self.path.chmod(_MODE)
            sync_folder(self.path.parent)
        for name in self._names():
            if name.endswith(PARTIAL) and NAME.fullmatch(name.removesuffix(PARTIAL).removeprefix(".")):
                remove_if_abandoned(self.path / name)

    def of_vault(self, vault: str) -> list[Stored]:
        """The backups of the vault with this id, the oldest first."""
        found = []
        for name in self._names():
            match = NAME.fullmatch(name)
            if match is not None and match[2] == vault[:8]:
                # A name with a time that there is not is none that was given here.
                with contextlib.suppress(ValueError):
                    moment = dt.datetime.strptime(match[1], _TIME).replace(tzinfo=dt.UTC)
                    found.append(Stored(self.path / name, int(moment.timestamp()) * NANOSECONDS))
        return sorted(found, key=lambda stored: stored.path.name)

    def write(self, task: Task) -> tuple[Path, Written]:
        """Write a backup, and read it again from the disk before it counts. Raises what ``write_backup`` raises, and BadBackup."""
        now = dt.datetime.fromtimestamp(task.surroundings.clock.now_ns() // NANOSECONDS, dt.UTC)
        mark = task.surroundings.entropy.bytes(4).hex()
        path = self.path / f"strongroom-{now.strftime(_TIME)}-{task.vault[:8]}-{mark}.backup"
        with NewFile(path, spare_bytes=self._spare_bytes()) as file:
            written = write_backup(task, file.write)
            with file.reopened() as again:
                if look(again).checksum != written.checksum:
                    raise BadBackup(Damage.CHANGED)
            file.keep()
        return path, written

    def retain(self, vault: str, keep: int, newest: Path) -> int:
        """Remove the oldest backups of the vault beyond ``keep``; returns how many. ``newest`` was read just now, and stays in any case.

        What is dated far ahead of ``newest`` was written while the clock was wrong: it goes first, not what was written since.
        """
        stored = self.of_vault(vault)
        ahead_ns = max((one.time_ns for one in stored if one.path == newest), default=0) + _AHEAD_NS
        others = [one.path for one in sorted(stored, key=lambda one: one.time_ns <= ahead_ns) if one.path != newest]
        doomed = others[: max(0, len(others) - max(0, keep - 1))]
        for path in doomed:
            path.unlink(missing_ok=True)
        if doomed:
            sync_folder(self.path)
        return len(doomed)

    def _names(self) -> Iterator[str]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield entry.name

    def _spare_bytes(self) -> int:
        if self._store_folder is None:
            return 0
        try:
            return SPARE_BYTES if self._store_folder.stat().st_dev == self.path.stat().st_dev else 0
        except OSError:
            return SPARE_BYTES
