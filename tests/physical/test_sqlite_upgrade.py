"""A database goes from format to format, and a process that ends in between leaves a whole one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.sqlite.connection import FORMAT_VERSION, upgrade
from strongroom.physical.store import Record, Unavailable

STEPS = {
    FORMAT_VERSION: ("CREATE TABLE first (a INTEGER)", "INSERT INTO first VALUES (1)"),
    FORMAT_VERSION + 1: ("CREATE TABLE second (a INTEGER)", "INSERT INTO second VALUES (2)"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "data")
    store.commit({}, {"k": Record(1, b"v")}, ())
    store.close()
    return tmp_path / "data"


@pytest.fixture
def database(folder: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(folder / "strongroom.db"))
    yield connection
    connection.close()


def state(connection: apsw.Connection) -> tuple[object, list[str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('first', 'second') ORDER BY name")
    names = [str(row[0]) for row in tables.fetchall()]
    return connection.execute("SELECT value FROM meta WHERE name = 'format'").get, names


def test_every_step_is_made_once_and_in_order(database: apsw.Connection) -> None:
    assert upgrade(database, STEPS) == FORMAT_VERSION + 2
    assert upgrade(database, STEPS) == FORMAT_VERSION + 2
    assert state(database) == (FORMAT_VERSION + 2, ["first", "second"])


@pytest.mark.parametrize("statements", [1, 2, 3, 4, 5, 6])
def test_an_upgrade_that_ends_anywhere_goes_on_the_next_time(database: apsw.Connection, statements: int) -> None:
    left = [statements]

    def end(_connection: object, sql: str, _bindings: object) -> bool:
        if sql.startswith(("CREATE", "INSERT", "UPDATE")):
            left[0] -= 1
        return left[0] > 0

    database.exec_trace = end  # The connection refuses the statement, as if the process had ended
    with pytest.raises(apsw.ExecTraceAbort):
        upgrade(database, STEPS)
    database.exec_trace = None
    steps_made = 0 if statements <= 3 else 1
    assert state(database) == (FORMAT_VERSION + steps_made, ["first"][:steps_made])
    upgrade(database, STEPS)
    assert state(database) == (FORMAT_VERSION + 2, ["first", "second"])


def test_a_database_of_the_first_format_is_opened_and_brought_up_to_date(
    folder: Path, database: apsw.Connection
) -> None:
    database.execute("UPDATE meta SET value = 1 WHERE name = 'format'")
    store = SqliteStore(folder)
    with store.snapshot() as snapshot:
        assert snapshot.get("k") == Record(1, b"v")
    store.close()
    assert state(database)[0] == FORMAT_VERSION


@pytest.mark.parametrize("number", [FORMAT_VERSION + 1, 0, -1])
def test_a_database_of_no_known_format_is_left_alone(folder: Path, database: apsw.Connection, number: int) -> None:
    database.execute("UPDATE meta SET value = ? WHERE name = 'format'", (number,))
    with pytest.raises(Unavailable):
        SqliteStore(folder)
    assert state(database)[0] == number


@pytest.mark.parametrize("statement", ["DELETE FROM meta", "DROP TABLE meta", "UPDATE meta SET value = 0"])
def test_records_that_do_not_say_how_old_they_are_are_not_taken_for_new(
    folder: Path, database: apsw.Connection, statement: str
) -> None:
    database.execute(statement)
    with pytest.raises(Unavailable, match="does not say which server wrote it"):
        SqliteStore(folder)
