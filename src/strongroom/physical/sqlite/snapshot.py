"""A read transaction on one connection of the pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self

import apsw

from strongroom.physical.store import Record, Unavailable, prefix_end

# The reading of one row makes SQLite fix the moment that the transaction sees; BEGIN alone does not.
_PIN = "SELECT value FROM meta WHERE name = 'format'"
_GET = "SELECT version, value FROM records WHERE key = ?"
_KEYS = {
    (is_behind, has_end): f"SELECT key FROM records WHERE key {'>' if is_behind else '>='} ?1"  # noqa: S608 -- of constants
    + (" AND key < ?2 ORDER BY key" if has_end else " ORDER BY key")
    for is_behind in (False, True)
    for has_end in (False, True)
}
_KEYS_IN = (
    "SELECT records.key FROM CARRAY(?1) AS folder CROSS JOIN records "
    "WHERE records.key >= folder.value || '/' AND records.key < folder.value || '0'"
)
_KEYS_FROM, _KEYS_BEHIND = _KEYS[False, True], _KEYS[True, True]
_ENTRIES = "SELECT key, version, value FROM records ORDER BY key"
_CLOSED = "the snapshot is closed"
# A damaged page can hold what is no text at all.
_UNREADABLE = (apsw.Error, UnicodeDecodeError)
_FAILED = "the database could not be read; check the disk, then the integrity of the database"


class SqliteSnapshot:
    """The store at one moment. Used by one thread at a time; ``close`` gives the connection back to the pool."""

    __slots__ = ("_connection", "_give_back", "state")

    def __init__(self, connection: apsw.Connection, give_back: Callable[[apsw.Connection], None]) -> None:
        self._connection: apsw.Connection | None = connection
        self._give_back = give_back
        try:
            connection.execute("BEGIN")
            connection.execute(_PIN).fetchone()
            # By this number SQLite decides whether the pages that it read before are still good. It counts for each connection anew.
            self.state = (connection, connection.data_version())
            """Which state of the store this is; see the protocol."""
        except apsw.Error:
            connection.close()
            raise Unavailable(_FAILED) from None

    def get(self, key: str) -> Record | None:
        """The record at ``key``, or None. Raises Unavailable where the database cannot be read."""
        connection = self._connection
        if connection is None:
            raise Unavailable(_CLOSED)
        try:
            row: Any = connection.execute(_GET, (key,)).fetchone()
        except _UNREADABLE:
            raise Unavailable(_FAILED) from None
        return None if row is None else Record(row[0], row[1])

    def keys(self, prefix: str, after: str = "", limit: int | None = None, *, start: str = "") -> list[str]:
        """The keys that begin with ``prefix``, in order; see the protocol."""
        connection = self._connection
        if connection is None:
            raise Unavailable(_CLOSED)
        # One lower bound only: with two, SQLite would seek to the first and filter by the other row by row.
        least = max(prefix, start) if start else prefix
        is_behind = after != "" and after >= least
        low = after if is_behind else least
        end = f"{prefix[:-1]}0" if prefix[-1:] == "/" else prefix_end(prefix)
        try:
            # Not by LIMIT: SQLite would prepare the statement anew for each number, which takes longer than a short list.
            rows: Any = (
                connection.execute(_KEYS[is_behind, False], (low,))
                if end is None
                else connection.execute(_KEYS_BEHIND if is_behind else _KEYS_FROM, (low, end))
            )
            first = rows.fetchone()
            if first is None:
                return []  # so it mostly is where one asks whether there is anything
            found = [row[0] for row in islice(chain((first,), rows), limit)]
            rows.close()
        except _UNREADABLE:
            raise Unavailable(_FAILED) from None
        return found

    def keys_in(self, folders: Sequence[str], limit: int) -> list[str] | None:
        """All keys in any of ``folders``; see the protocol."""
        connection = self._connection
        if connection is None:
            raise Unavailable(_CLOSED)
        if not folders:
            return []
        try:
            rows: Any = connection.execute(_KEYS_IN, (apsw.carray(tuple(folders)),))
            first = rows.fetchone()
            if first is None:
                return []  # so it mostly is
            found = [row[0] for row in islice(chain((first,), rows), limit + 1)]
            rows.close()
        except _UNREADABLE:
            raise Unavailable(_FAILED) from None
        return found if len(found) <= limit else None

    def entries(self) -> Iterator[tuple[str, Record]]:
        """Every key with its record, in order, read as they are asked for. Raises Unavailable where the database cannot be read."""
        connection = self._connection
        if connection is None:
            raise Unavailable(_CLOSED)
        rows: Any = connection.cursor()
        try:
            for key, version, value in rows.execute(_ENTRIES):
                yield key, Record(version, value)
        except _UNREADABLE:
            raise Unavailable(_FAILED) from None
        finally:
            rows.close()

    def close(self) -> None:
        """End the transaction and give the connection back. Closing twice is fine."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.execute("ROLLBACK")
        except apsw.Error:
            connection.close()
            return
        self._give_back(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
