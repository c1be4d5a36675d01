"""What the watch remembers between rounds: where each feed was, what is still to be read, what was seen, what was told.

One SQLite file, readable by its owner alone, and held by one process. What belongs together is committed together: a listing with
its cursor, an item that is done with the items that it led to. Killed at any moment, it is as it was at the last commit. It
holds addresses and digests, and no secret.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.scanner.watch.failures import WatchFailed
from strongroom.scanner.watch.item import Cursor, Item, item_of

MOST_SEEN = 50_000
"""Items of one feed that are remembered as seen. More than any listing has: what is listed is never forgotten before it is gone."""
MOST_TOLD = 200_000
"""Findings that are remembered as told."""
VERSION = 1
_KIND = 0x53525754
_TABLES = """
CREATE TABLE feed (name TEXT PRIMARY KEY, identity TEXT NOT NULL, cursor TEXT NOT NULL, due REAL NOT NULL, earliest REAL NOT NULL, failures INT NOT NULL);
CREATE TABLE seen (feed TEXT NOT NULL, id BLOB NOT NULL, turn INTEGER NOT NULL, PRIMARY KEY (feed, id)) WITHOUT ROWID;
CREATE INDEX by_turn ON seen (feed, turn);
CREATE TABLE pending (number INTEGER PRIMARY KEY AUTOINCREMENT, feed TEXT NOT NULL, item TEXT NOT NULL, attempts INT NOT NULL, due REAL NOT NULL);
CREATE INDEX of_feed ON pending (feed, number);
CREATE TABLE told (number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE);
CREATE TABLE rest (name TEXT PRIMARY KEY, until REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a feed is: its cursor, when it is asked next by our own schedule, when by what the other side allows, and how often in a row it failed.

    Times are seconds since the epoch.
    """

    cursor: Cursor
    due: float = 0.0
    earliest: float = 0.0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """An item that is still to be read, and how often that failed."""

    number: int
    item: Item
    attempts: int


class State:
    """The open state. Nothing is kept until `commit`."""

    def __init__(self, database: sqlite3.Connection, name: str, lock: int) -> None:
        self._database = database
        self._name = name
        self._lock = lock

    def commit(self) -> None:
        """Keep all that was said since the last time, at once or not at all."""
        with self._failing():
            self._database.execute("COMMIT")
            self._database.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Let go of the file, and forget what was not committed."""
        self._database.close()
        os.close(self._lock)

    def position(self, feed: str, identity: str) -> Position:
        """Where `feed` is. What is kept under its name for another `identity` (another address or query) is dropped."""
        for kept, cursor, due, earliest, failures in self._rows(
            "SELECT identity, cursor, due, earliest, failures FROM feed WHERE name = ?", feed
        ):
            if kept == identity:
                return Position(self._texts(cursor), due, earliest, failures)
        for table in ("seen", "pending"):
            self._run(f"DELETE FROM {table} WHERE feed = ?", feed)  # noqa: S608 -- one of two words
        fresh = Position({})
        self._run("REPLACE INTO feed VALUES (?, ?, '{}', 0, 0, 0)", feed, identity)
        return fresh

    def move(self, feed: str, position: Position) -> None:
        """Note where `feed` is now."""
        self._run(
            "UPDATE feed SET cursor = ?, due = ?, earliest = ?, failures = ? WHERE name = ?",
            json.dumps(dict(position.cursor)),
            position.due,
            position.earliest,
            position.failures,
            feed,
        )

    def add(self, feed: str, items: Iterable[Item]) -> int:
        """Take in what was listed, in this order: those that were never seen are to be read. Returns how many those are."""
        turn = 1 + self._number("SELECT coalesce(max(turn), 0) FROM seen WHERE feed = ?", feed)
        new = 0
        for item in items:
            key = _digest(item.id)
            if not self._number("SELECT count(*) FROM seen WHERE feed = ? AND id = ?", feed, key):
                self._run(
                    "INSERT INTO pending (feed, item, attempts, due) VALUES (?, ?, 0, 0)",
                    feed,
                    json.dumps(item.clipped().values()),
                )
                new += 1
            self._run("REPLACE INTO seen VALUES (?, ?, ?)", feed, key, turn)
        excess = self._number("SELECT count(*) FROM seen WHERE feed = ?", feed) - MOST_SEEN
        if excess > 0:
            self._run(
                "DELETE FROM seen WHERE feed = ?1 AND turn < ?2 AND id IN"
                " (SELECT id FROM seen WHERE feed = ?1 ORDER BY turn LIMIT ?3)",
                feed,
                turn,
                excess,
            )
        return new

    def has_seen(self, feed: str) -> bool:
        """Whether anything of `feed` was ever seen."""
        return bool(self._number("SELECT EXISTS (SELECT 1 FROM seen WHERE feed = ?)", feed))

    def waiting(self, feed: str) -> int:
        """How many items of `feed` are still to be read."""
        return self._number("SELECT count(*) FROM pending WHERE feed = ?", feed)

    def next_due(self, feed: str) -> float | None:
        """When the first of them is to be read."""
        for (due,) in self._rows("SELECT min(due) FROM pending WHERE feed = ?", feed):
            return None if due is None else float(due)
        return None

    def pending(self, feed: str, now: float, limit: int) -> list[Pending]:
        """Up to `limit` items of `feed` that are to be read now, the oldest first."""
        rows = self._rows(
            "SELECT number, item, attempts FROM pending WHERE feed = ? AND due <= ? ORDER BY number LIMIT ?",
            feed,
            now,
            limit,
        )
        return [Pending(number, self._item(values), attempts) for number, values, attempts in rows]

    def done(self, pending: Pending) -> None:
        """It was read, and all that it led to was taken in."""
        self._run("DELETE FROM pending WHERE number = ?", pending.number)

    def postpone(self, pending: Pending, due: float, attempts: int) -> None:
        """It is read again at the time `due`."""
        self._run("UPDATE pending SET due = ?, attempts = ? WHERE number = ?", due, attempts, pending.number)

    def is_told(self, fingerprint: str, place: str) -> bool:
        """Whether this secret was reported at this place."""
        return bool(self._number("SELECT count(*) FROM told WHERE key = ?", _digest(fingerprint, place)))

    def tell(self, fingerprint: str, place: str) -> None:
        """Remember that it is reported."""
        if self.is_told(fingerprint, place):
            return
        self._run("INSERT INTO told (key) VALUES (?)", _digest(fingerprint, place))
        self._run("DELETE FROM told WHERE number <= (SELECT max(number) FROM told) - ?", MOST_TOLD)

    def rest_until(self, name: str) -> float:
        """When the pause of a host ends, in seconds since the epoch; 0 without one."""
        for (until,) in self._rows("SELECT until FROM rest WHERE name = ?", name):
            return float(until)
        return 0.0

    def rest(self, name: str, until: float) -> None:
        """Remember the pause of a host."""
        self._run("REPLACE INTO rest VALUES (?, ?)", name, until)

    def _run(self, statement: str, *values: object) -> None:
        self._rows(statement, *values)

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._failing():
            return self._database.execute(statement, values).fetchall()

    def _number(self, statement: str, *values: object) -> int:
        return int(self._rows(statement, *values)[0][0])

    def _texts(self, written: str) -> dict[str, str]:
        try:
            read = json.loads(written)
        except (ValueError, TypeError, RecursionError):
            raise _damaged(self._name) from None
        if not isinstance(read, dict) or not all(isinstance(value, str) for value in read.values()):
            raise _damaged(self._name)
        return read

    def _item(self, written: str) -> Item:
        try:
            return item_of(self._texts(written))
        except ValueError:
            raise _damaged(self._name) from None

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise WatchFailed(f"the state {self._name} cannot be written or read: {error}") from None
        except (sqlite3.Error, OverflowError, ValueError):
            raise _damaged(self._name) from None


def open_state(path: Path) -> State:
    """The state at `path`, made anew if there is none. Raises WatchFailed if it is damaged, foreign, open to others, or in use."""
    name = path.name
    lock = _locked(path)
    try:
        return State(_opened(path, name), name, lock)
    except BaseException:
        os.close(lock)
        raise


def _locked(path: Path) -> int:
    """The file, made if it is not there, and held until the descriptor is closed. Locks of SQLite alone end whenever anybody in the process closes the file."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise WatchFailed(f"the state {path.name} cannot be opened: {error.strerror}") from None
    try:
        _check_closed(os.fstat(descriptor), path.name)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise WatchFailed(
            f"the state {path.name} is in use: another watch runs with it. Stop it, or give this one its own -state"
        ) from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_closed(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise WatchFailed(f"the state {name} is no file")
    if status.st_mode & 0o077:
        raise WatchFailed(f"the state {name} is open to others: chmod 600 {name}")


def _opened(path: Path, name: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("BEGIN EXCLUSIVE")
        _prepare(database, name)
        database.execute("COMMIT")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        database.close()
        raise WatchFailed(f"the state {name} cannot be opened: {error}") from None
    except (sqlite3.DatabaseError, ValueError):
        database.close()
        raise _damaged(name) from None
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, name: str) -> None:
    kind, version, tables = (
        database.execute(question).fetchone()[0]
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if not kind and not version and not tables:
        for statement in _TABLES.strip().splitlines():
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {_KIND}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        return
    if kind != _KIND:
        raise WatchFailed(f"{name} is no state of a watch, but some other database: give another -state")
    if version != VERSION:
        raise WatchFailed(
            f"the state {name} has version {version}, and this program writes {VERSION}: use the newer one"
        )
    if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _damaged(name)


def _damaged(name: str) -> WatchFailed:
    return WatchFailed(
        f"the state {name} is damaged. Move it away and start again: what the feeds list is then read anew, "
        "and what was reported may be reported once more"
    )


def _digest(*texts: str) -> bytes:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).digest()[:16]
