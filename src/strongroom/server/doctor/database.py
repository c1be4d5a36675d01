"""The database of a data folder, looked at without changing it: its library, its journal and the format of what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw

from strongroom.physical.sqlite.connection import BUSY_MILLISECONDS, FORMAT_VERSION, is_safe_version
from strongroom.physical.sqlite.folder import DATABASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to know. ``format`` is None where the database is not one of ours."""

    library: str
    is_safe_library: bool
    journal_mode: str
    format: int | None
    known_format: int = FORMAT_VERSION


def read_facts(folder: Path) -> Facts | None:
    """The facts about the database in ``folder``, or None where there is none. Raises OSError where it cannot be read."""
    file = folder / DATABASE
    if not file.exists():
        return None
    with file.open("rb"):
        pass  # for the reason: SQLite itself only says that it cannot be opened
    try:
        # Read only: it neither writes records back from the log nor takes the log away.
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOFOLLOW)
        try:
            connection.set_busy_timeout(BUSY_MILLISECONDS)
            return Facts(
                library=apsw.sqlite_lib_version(),
                is_safe_library=is_safe_version(apsw.SQLITE_VERSION_NUMBER),
                journal_mode=str(connection.pragma("journal_mode")),
                format=_format(connection),
            )
        finally:
            connection.close()
    except apsw.Error:
        raise OSError(0, "the database cannot be read; it is damaged, or no SQLite database", str(file)) from None


def _format(connection: apsw.Connection) -> int | None:
    try:
        found = connection.execute("SELECT value FROM meta WHERE name = 'format'").get
    except apsw.SQLError:
        return None
    return found if isinstance(found, int) else None
