"""Every key with its version as of one moment, copied aside so that the database is held for the time of the copying only.

A read transaction that stays open keeps the write-ahead log from being reused. Looking at a million records at a gentle pace takes
minutes; copying their keys takes a second, within SQLite and without Python's lock. The copy lies in a temporary file that has no name.
"""

from __future__ import annotations

from typing import Any

import apsw

from strongroom.physical.store import Record, Unavailable

# The default of the connection is memory, which a copy of a large store would fill.
_PREPARE = "PRAGMA temp_store=FILE"
_COPY = "CREATE TEMP TABLE surveyed (key TEXT COLLATE BINARY PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID"
_FILL = "INSERT INTO surveyed SELECT key, version FROM main.records ORDER BY key"
_RECORD = "SELECT version, value FROM main.records WHERE key = ?"
_PAGE = "SELECT key, version FROM surveyed WHERE key > ? ORDER BY key LIMIT ?"
_FAILED = (
    "the database's keys could not be copied; check the disk, and that the folder for temporary files can be written"
)


class SqliteSurvey:
    """The keys and versions of the database that ``connection``, which it owns, reads. Raises Unavailable."""

    __slots__ = ("_connection", "record")

    def __init__(self, connection: apsw.Connection, key: str) -> None:
        self._connection: apsw.Connection | None = connection
        try:
            connection.execute(_PREPARE)
            connection.execute(_COPY)
            # The statement that fills the copy and the one that reads the record see one state.
            connection.execute("BEGIN")
            row: Any = connection.execute(_RECORD, (key,)).fetchone()
            connection.execute(_FILL)
            connection.execute("COMMIT")
        except apsw.Error:
            self.close()
            raise Unavailable(_FAILED) from None
        self.record = None if row is None else Record(row[0], row[1])

    def page(self, after: str, limit: int) -> list[tuple[str, int]]:
        """The next keys with their versions. Raises Unavailable."""
        if self._connection is None:
            raise Unavailable("the survey is closed")
        try:
            rows: Any = self._connection.execute(_PAGE, (after, limit)).fetchall()
        except (apsw.Error, UnicodeDecodeError):
            raise Unavailable(_FAILED) from None
        return list(rows)

    def close(self) -> None:
        """Drop the copy. Closing twice is fine."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
