"""SQLite databases: their rows as lines. Read from a copy in memory, with nothing in the schema trusted."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from io import BytesIO

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Member, Opening, Stream, label

_STEPS = 50_000
_LEAST_LENGTH = 1 << 16
_TICKS = 4_000
"""Steps of SQLite's machine for one database: twenty seconds or so. A schema can make a simple query long."""


_TABLE = re.compile(rb"\s*CREATE\s+TABLE\b.*", re.IGNORECASE | re.DOTALL)
_PACKED = (
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"\x78\x9c",
    b"\x78\x01",
    b"\x78\xda",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"%PDF-",
)
_MOST_PACKED = 16 << 20
"""Bytes of packed values that are kept of one table."""


class _Rows:
    """The rows of a table as text: `column=value` with tabs between them, a line each."""

    def __init__(self, database: sqlite3.Connection, table: bytes) -> None:
        name = _quoted(table)
        # Only what is stored: a column that is computed may make a page of every byte.
        self._columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
        columns = ", ".join(map(_quoted, self._columns))
        self._cursor = database.execute(f"SELECT {columns} FROM {name}")  # noqa: S608 -- names cannot be parameters; they are quoted
        self._ready = bytearray()
        self.packed: list[bytes] = []
        """Values that begin like something compressed: as bytes in a row they say nothing."""
        self._packed_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes of the text."""
        wanted = size if size >= 0 else 1 << 20
        while len(self._ready) < wanted:
            try:
                row = self._cursor.fetchone()
            except (sqlite3.Error, ValueError, OverflowError, MemoryError):
                if self._ready:
                    break
                raise DamagedContainer("a table is damaged, or takes too long to read") from None
            if row is None:
                break
            self._keep_packed(row)
            cells = (
                b"%b=%b" % (name, _text(value))
                for name, value in zip(self._columns, row, strict=True)
                if value is not None
            )
            self._ready += b"\t".join(cells) + b"\n"
        given = bytes(self._ready[:wanted])
        del self._ready[:wanted]
        return given

    def _keep_packed(self, row: tuple[object, ...]) -> None:
        for value in row:
            if isinstance(value, bytes) and value.startswith(_PACKED) and self._packed_bytes < _MOST_PACKED:
                self.packed.append(value)
                self._packed_bytes += len(value)


def _quoted(name: bytes) -> str:
    """A name as SQL has it. Raises UnicodeError for one that is no text."""
    return '"' + name.replace(b'"', b'""').decode("utf-8") + '"'


def _text(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def open_database(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The tables, and the statements that made them. Free pages are found in the file's own bytes, which are scanned as well."""
    data = bytearray(stream.read(opening.limits.whole_bytes + 1))
    if len(data) > opening.limits.whole_bytes:
        raise DamagedContainer(f"not opened: it is longer than {opening.limits.whole_bytes >> 20} MiB")
    if len(data) < 100:
        raise DamagedContainer("it is too short for a database")
    data[18:20] = b"\x01\x01"  # a copy in memory has no write-ahead log, and needs none
    database = sqlite3.connect(":memory:")
    try:
        database.deserialize(bytes(data))
        database.text_factory = bytes
        database.set_progress_handler(_Clockwork(_TICKS), _STEPS)
        # No value that is stored is longer than all that is stored.
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(len(data), _LEAST_LENGTH))
        for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
            database.execute(f"PRAGMA {pragma}")
        tables = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
        for name, statement in tables:
            if isinstance(name, bytes) and isinstance(statement, bytes) and _is_plain(statement):
                yield from _table(database, name, opening)
    except (sqlite3.Error, ValueError, OverflowError, MemoryError):
        raise DamagedContainer("it is damaged: tables could not be read") from None
    finally:
        database.close()


def _table(database: sqlite3.Connection, name: bytes, opening: Opening) -> Iterator[Member]:
    try:
        rows = _Rows(database, name)
    except (sqlite3.Error, ValueError, UnicodeError):
        opening.complain("a table could not be read")
        return
    yield Member(label(name), rows, is_text=True)
    for number, blob in enumerate(rows.packed, 1):
        yield Member(f"{label(name)}!/<value {number}>", BytesIO(blob))


def _is_plain(statement: bytes) -> bool:
    """Whether it makes an ordinary table. Virtual ones run code of their module's, and keep their content in tables beside them; a view computes."""
    return _TABLE.fullmatch(statement) is not None


class _Clockwork:
    """Stops SQLite after so many ticks."""

    def __init__(self, ticks: int) -> None:
        self._ticks = ticks

    def __call__(self) -> bool:
        self._ticks -= 1
        return self._ticks < 0
