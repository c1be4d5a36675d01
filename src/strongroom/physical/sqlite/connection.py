"""Opening the database with settings that cannot lose an acknowledged write, and proof that they took.

Sources: https://sqlite.org/wal.html (the WAL-reset flaw of 3.7.0 to 3.51.2), https://sqlite.org/pragma.html,
https://sqlite.org/c3ref/c_dbconfig_defensive.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import apsw

from strongroom.physical.store import DATA_FORMAT, Unavailable

FORMAT_VERSION = DATA_FORMAT
_STEPS: Mapping[int, Sequence[str]] = MappingProxyType(
    {
        # The tables stay as they are. From 2 on there is a root record, which older servers would not keep in step: the number keeps
        # them away. The record itself needs keys: the barrier makes it at the first unseal.
        1: (),
        # Nor does anything change here for several keyrings: older servers would lose all but the first with the next root key.
        2: (),
    }
)
"""What to do with a database of each older format to make it one of the next."""

# The version of SQLite's library from which on a line of releases has the WAL-reset fix.
_FIXED = (3, 51, 3)
_BACKPORTS = {(3, 50): 7, (3, 44): 6}

BUSY_MILLISECONDS = 10_000
_PAUSE_SECONDS = 0.02
_IN_THE_WAY = (apsw.BusyError, apsw.LockedError, apsw.SchemaChangeError)
"""What a sibling process causes that opens or leaves the same database at the moment."""
T = TypeVar("T")

# Each setting with the value that it must read back as. synchronous 3 is EXTRA: with NORMAL, a loss of power loses commits that were
# acknowledged. FULL keeps them all, but for one: the journal of the switch to WAL is deleted without a sync of the folder, and if it
# came back after a loss of power, it would roll the database back to the empty one that it was. So this comes before the switch.
_SETTINGS: tuple[tuple[str, str, object], ...] = (
    ("synchronous", "EXTRA", 3),
    ("journal_mode", "WAL", "wal"),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("secure_delete", "ON", 1),
    ("foreign_keys", "ON", 1),
    ("busy_timeout", str(BUSY_MILLISECONDS), BUSY_MILLISECONDS),
    ("temp_store", "MEMORY", 2),
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS records (
    key TEXT COLLATE BINARY PRIMARY KEY,
    version INTEGER NOT NULL,
    value BLOB NOT NULL
) WITHOUT ROWID, STRICT;
"""


def is_safe_version(number: int) -> bool:
    """Whether SQLite ``number`` (3051003 for 3.51.3) is free of the WAL-reset flaw."""
    major, rest = divmod(number, 1_000_000)
    minor, patch = divmod(rest, 1_000)
    if (major, minor, patch) >= _FIXED:
        return True
    needed = _BACKPORTS.get((major, minor))
    return needed is not None and patch >= needed


def refuse_unsafe_library(number: int) -> None:
    """Raise Unavailable where SQLite ``number`` can lose an acknowledged write."""
    if not is_safe_version(number):
        raise Unavailable(
            "this SQLite can lose acknowledged writes (its WAL-reset flaw was fixed in 3.51.3, 3.50.7 and 3.44.6); install a newer apsw"
        )


def open_connection(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection to the existing file at ``path`` with every setting in force. Raises Unavailable.

    ``vfs`` names another of SQLite's file layers; fault-injection tests use it.
    """
    try:
        connection = apsw.Connection(
            str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW, vfs=vfs, statementcachesize=64
        )
    except apsw.Error:
        raise Unavailable("the database cannot be opened; check its folder's owner and free space") from None
    try:
        _patiently(lambda: _apply_settings(connection))
    except apsw.Error:
        connection.close()
        raise Unavailable(
            "the database cannot be used: it is damaged, is no SQLite database, or cannot be written"
        ) from None
    except Unavailable:
        connection.close()
        raise
    return connection


def prepare_schema(connection: apsw.Connection) -> None:
    """Make the tables of a new database, bring those of an older server up to date, and refuse those of a newer one. Raises Unavailable."""
    try:
        found = _patiently(lambda: _with_tables(connection))
        if found in _STEPS:
            upgrade(connection)
            found = FORMAT_VERSION
    except apsw.Error:
        raise Unavailable("the database cannot be used: its tables are not those of a data folder of ours") from None
    if found == FORMAT_VERSION:
        return
    if isinstance(found, int) and found > FORMAT_VERSION:
        raise Unavailable(
            "the data folder was written by a newer server; start that version, or restore an older backup"
        )
    raise Unavailable("the database does not say which server wrote it, so it was damaged or edited; restore a backup")


def _patiently(action: Callable[[], T]) -> T:
    """What `action` comes to, once no sibling process that opens or leaves the same database is in its way. Raises apsw.Error.

    SQLite waits by itself for most locks, but not for the switch to WAL, nor where a transaction that has read would write upon
    what a sibling wrote since. Then it is tried again, for about as long as SQLite would have waited.
    """
    until = time.monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            return action()
        except _IN_THE_WAY:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE_SECONDS)


def _with_tables(connection: apsw.Connection) -> object:
    """Make the tables that are missing, and answer the format."""
    with connection:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        # What holds records and does not say how old they are is not taken for new.
        connection.execute(
            "INSERT INTO meta (name, value) SELECT 'format', ? WHERE NOT EXISTS (SELECT 1 FROM records)"
            " ON CONFLICT DO NOTHING",
            (FORMAT_VERSION,),
        )
    return connection.execute("SELECT value FROM meta WHERE name = 'format'").get


def upgrade(connection: apsw.Connection, steps: Mapping[int, Sequence[str]] | None = None) -> int:
    """Go from format to format, each step in a transaction with its number, and answer the last one.

    A process that ends between two steps leaves a whole database of the format between. Raises apsw.Error.
    """
    steps = _STEPS if steps is None else steps
    while True:
        with connection:
            found = int(str(connection.execute("SELECT value FROM meta WHERE name = 'format'").get))
            if found not in steps:
                return found
            for statement in steps[found]:
                connection.execute(statement)
            connection.execute("UPDATE meta SET value = ? WHERE name = 'format'", (found + 1,))


def _apply_settings(connection: apsw.Connection) -> None:
    # Before everything else: a sibling process that opens or closes the database at this moment holds its locks for a little while.
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
    for name, value, _ in _SETTINGS:
        connection.execute(f"PRAGMA {name}={value}")
    for name, _, expected in _SETTINGS:
        read_setting(connection.pragma, name, expected)


def read_setting(pragma: Callable[[str], object], name: str, expected: object) -> None:
    """Raise Unavailable unless the setting ``name`` reads back as ``expected``."""
    if pragma(name) != expected:
        raise Unavailable(f"the database setting {name} did not take, so acknowledged writes could be lost")
