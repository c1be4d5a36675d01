"""Databases of SQLite whose schema computes what they do not hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.scanner.hiding.repositories import number_of

from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem

LONG = "zeroblob(900000000)"


def made(path: Path, *statements: str) -> bytes:
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()
    return path.read_bytes()


def read(data: bytes) -> tuple[dict[str, bytes], list[str]]:
    """What is read of a database by path, and what is complained of."""
    problems: list[Problem] = []
    found = {one.path: one.data for one in expand(Fragment("a.db", data), Limits(), problems.append)}
    return found, [problem.what for problem in problems]


def test_columns_that_are_computed_are_not_read_and_what_is_stored_is(tmp_path: Path) -> None:
    token = number_of("stored")
    data = made(
        tmp_path / "a.db",
        f'CREATE TABLE t ("a ""b" TEXT, c BLOB GENERATED ALWAYS AS ({LONG}) VIRTUAL, d INT)',
        f"""INSERT INTO t VALUES ('{token.decode()}', 7)""",
    )
    found, problems = read(data)
    assert found["a.db!/t"] == b'a "b=' + token + b"\td=7\n"
    assert problems == []


def test_a_view_that_is_called_a_table_is_not_read(tmp_path: Path) -> None:
    forged = f"UPDATE sqlite_schema SET rootpage = 0, sql = 'CREATE VIEW u(a) AS SELECT {LONG}' WHERE name = 'u'"
    found, problems = read(made(tmp_path / "a.db", "CREATE TABLE u (a TEXT)", "PRAGMA writable_schema = ON", forged))
    assert set(found) == {"a.db"}
    assert problems


def test_no_value_is_longer_than_the_database(tmp_path: Path) -> None:
    data = made(
        tmp_path / "a.db",
        "CREATE TABLE t (a TEXT)",
        "INSERT INTO t VALUES ('x')",
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a TEXT, b BLOB DEFAULT ({LONG}))'",
    )
    found, _ = read(data)
    assert max(map(len, found.values())) <= max(len(data), 1 << 17)
