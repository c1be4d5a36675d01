"""One group-committing writer and a pool of readers over one database file.

Callers of ``commit`` that come while another commit is under way wait together, and the first of them to be let in writes for
all: one durable transaction, each change in a savepoint of its own, so that a conflict of one touches no other.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import apsw

from strongroom import failpoints
from strongroom.physical.sqlite.connection import (
    BUSY_MILLISECONDS,
    open_connection,
    prepare_schema,
    refuse_unsafe_library,
)
from strongroom.physical.sqlite.folder import Folder
from strongroom.physical.sqlite.log_length import LogLength
from strongroom.physical.sqlite.reserve import RESERVE_FILE_BYTES, Reserve
from strongroom.physical.sqlite.snapshot import SqliteSnapshot
from strongroom.physical.sqlite.survey import SqliteSurvey
from strongroom.physical.store import (
    Change,
    Conflict,
    Full,
    Record,
    StoreError,
    Unavailable,
    Unknown,
    Witness,
    check_keys,
)

# What a commit may need beyond its own bytes: the inner pages of the tree that it touches, and what else writes to the same disk.
RESERVE_BYTES = 256 * 1024
# The same for what takes access away: it may come closer to the end of the disk than anything else.
URGENT_BYTES = 64 * 1024
# Each key may touch a leaf of its own; one that is put may split it.
_PAGE_BYTES = 4096 + 24
_IDLE_READERS_MAX = 8

_VERSIONS_OF = "SELECT key, version FROM records WHERE key IN CARRAY(?)"
_VERSIONS_OF_BYTES = "SELECT key, version FROM records WHERE key IN (SELECT CAST(value AS TEXT) FROM CARRAY(?))"
_PUT = (
    "INSERT INTO records (key, version, value) VALUES (?, ?, ?) "
    "ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value"
)
_RECORD_OF = "SELECT version, value FROM records WHERE key = ?"
_DELETE = "DELETE FROM records WHERE key = ?"
_FULL = "no space is left on the data folder's file system; free some, then try again"


class _Change:
    """One caller's change on its way through the writer. ``outcome`` is what ``commit`` raises, if anything."""

    __slots__ = ("deletes", "done", "expected", "is_urgent", "outcome", "puts", "witness")

    def __init__(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None,
        *,
        is_urgent: bool = False,
    ) -> None:
        self.expected = expected
        self.puts = puts
        self.deletes = deletes
        self.witness = witness
        self.is_urgent = is_urgent
        self.outcome: Exception | None = None
        self.done = False

    def size(self) -> int:
        """How many bytes the change adds to the files at most, nearly."""
        values = sum(len(record.value) + len(record.value) // 64 for record in self.puts.values())
        return values + _PAGE_BYTES * (2 * len(self.puts) + len(self.deletes))


class SqliteStore:
    """The database in ``folder``, which is made if it is missing. Raises Unavailable with a text that says what to do.

    ``is_shared`` says that a parent process holds the folder for this process and its siblings (see ``hold_folder``). ``vfs`` names
    another of SQLite's file layers, for fault-injection tests.
    """

    name = "sqlite"

    def __init__(
        self,
        folder: Path | str,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        vfs: str | None = None,
        is_shared: bool = False,
    ) -> None:
        refuse_unsafe_library(apsw.SQLITE_VERSION_NUMBER)
        self._folder = Folder(Path(folder), is_shared=is_shared)
        self._reserve = Reserve(Path(folder))
        self._log_length = LogLength(self._reserve)
        self._vfs = vfs
        self._reserve_bytes = reserve_bytes
        self._queue: list[_Change] = []
        self._queue_lock = threading.Lock()
        self._writing = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._refusal: str | None = None
        try:
            self._writer = self._open_writer()
        except BaseException:
            self._folder.release()
            raise

    @property
    def is_founded(self) -> bool:
        """Whether a vault was made in the folder."""
        return self._folder.is_marked

    def mark_founded(self) -> None:
        """Say so from now on, in a file of its own. Raises Unavailable."""
        try:
            self._folder.mark()
        except OSError as error:
            raise Unavailable(
                f"the data folder cannot be marked as a vault's: {os.strerror(error.errno or 0)}"
            ) from None

    def snapshot(self) -> SqliteSnapshot:
        """The store as it is now. Raises Unavailable."""
        if self._refusal is not None:
            raise Unavailable(self._refusal)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open_reader()
        return SqliteSnapshot(connection, self._give_back)

    def survey(self, key: str) -> SqliteSurvey:
        """Every key and version as they are now, and the record at ``key``. Raises Unavailable."""
        if self._refusal is not None:
            raise Unavailable(self._refusal)
        return SqliteSurvey(self._open_reader(), key)

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        """Apply the change, all or nothing; see the protocol. Callers that come together share one transaction."""
        check_keys(expected, puts, deletes)
        change = _Change(expected, puts, deletes, witness, is_urgent=is_urgent)
        with self._queue_lock:
            self._queue.append(change)
        with self._writing:
            # Whoever is let in first writes for all who wait behind it; they then find their change done.
            if not change.done:
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._write(batch)
        if change.outcome is not None:
            raise change.outcome

    def close(self) -> None:
        """Close every idle connection and let another process have the folder. Closing twice is fine."""
        with self._writing:
            self._refusal = self._refusal or "the store is closed"
            while self._idle:
                self._idle.pop().close()
            self._writer.close()
            self._folder.release()

    def _open_writer(self) -> apsw.Connection:
        writer = open_connection(self._folder.database, self._vfs)
        try:
            with self._folder.write_turn():
                prepare_schema(writer)
                self._refill(self._folder.free_bytes())
            # Now that the journal files exist, see that they are closed to others as well.
            self._folder.check_files()
            self._folder.remember_files()
            self._log_length.watch(writer)
        except BaseException:
            writer.close()
            raise
        return writer

    def _open_reader(self) -> apsw.Connection:
        # Of a file that was put in the database's place one would read another state, perhaps an older one.
        self._folder.check_in_place()
        return open_connection(self._folder.database, self._vfs)

    def _give_back(self, connection: apsw.Connection) -> None:
        if self._refusal is None and len(self._idle) < _IDLE_READERS_MAX:
            self._idle.append(connection)
        else:
            connection.close()

    def _write(self, batch: list[_Change]) -> None:
        outcome: Exception | None = None
        try:
            with self._folder.write_turn():
                outcome = self._write_together(batch)
        except Unavailable as refused:
            outcome = refused
        except BaseException:
            # Not an answer of the database but a fault of ours in mid-transaction: the only safe word is "unknown".
            self._refuse_from_now_on()
            outcome = Unknown(self._refusal or "")
            raise
        finally:
            for change in batch:
                change.outcome = change.outcome or outcome
                change.done = True

    def _write_together(self, batch: list[_Change]) -> Exception | None:
        """Write the batch in one transaction. Answers what befell all of it, if anything did."""
        if self._refusal is not None:
            return Unavailable(self._refusal)
        batch = self._those_with_room(batch)
        if not batch:
            return None
        self._folder.check_in_place()
        try:
            failpoints.reach("before_store_begin")
            self._writer.execute("BEGIN IMMEDIATE")
            failpoints.reach("after_store_begin")
            witnessed: dict[int, tuple[Witness, list[Change]]] = {}
            for change in batch:
                applied = self._apply(change)
                if applied and change.witness is not None:
                    witnessed.setdefault(id(change.witness), (change.witness, []))[1].extend(applied)
            refusal = self._bear_witness(list(witnessed.values()))
        except apsw.Error as error:
            return self._roll_back(error)
        if refusal is not None:
            return self._roll_back(None) or refusal
        try:
            failpoints.reach("before_commit")
            self._writer.execute("COMMIT")
            failpoints.reach("after_commit_before_ack")
        except apsw.Error:
            self._refuse_from_now_on()
            return Unknown("the database failed while committing: the outcome is unknown, so the store is stopped")
        return None

    def _those_with_room(self, batch: list[_Change]) -> list[_Change]:
        """The changes for which there is space; the others are answered.

        Found out before the commit: a commit that runs out of space could be found durable after a crash.
        """
        free, needed = self._folder.free_bytes(), sum(change.size() for change in batch)
        self._log_length.note_space(free - needed)
        if free >= self._reserve_bytes + needed:
            self._refill(free - needed)
            return batch
        urgent = [change for change in batch if change.is_urgent]
        has_room = bool(urgent) and self._make_room(URGENT_BYTES + sum(change.size() for change in urgent))
        for change in batch:
            if not (has_room and change.is_urgent):
                change.outcome = Full(_FULL)
        return urgent if has_room else []

    def _make_room(self, needed: int) -> bool:
        """Give up what is kept back, as far as it is necessary. Whether that was enough."""
        if self._folder.free_bytes() >= needed:
            return True
        self._reserve.give_up()
        if self._folder.free_bytes() >= needed:
            return True
        with contextlib.suppress(apsw.Error):
            # What the log holds twice is given back, unless a reader still needs it: that is not waited for.
            self._writer.set_busy_timeout(0)
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._writer.set_busy_timeout(BUSY_MILLISECONDS)
        return self._folder.free_bytes() >= needed

    def _refill(self, free: int) -> None:
        if free >= 2 * self._reserve_bytes + RESERVE_FILE_BYTES:
            self._reserve.hold()

    def _apply(self, change: _Change) -> list[Change]:
        """Answers what it changed; nothing where the change is refused, and nothing needs to be known where there is no witness."""
        execute = self._writer.execute
        before = self._versions_of(change)
        changed = [key for key, version in change.expected.items() if before.get(key) != version]
        if changed:
            change.outcome = Conflict(keys=changed)
            return []
        execute("SAVEPOINT change")
        applied: list[Change] = []
        try:
            applied = self._delete_and_put(change, before)
        except apsw.TooBigError:
            execute("ROLLBACK TO change")
            change.outcome = Unavailable("a record is larger than the database can hold")
        execute("RELEASE change")
        return applied

    def _versions_of(self, change: _Change) -> dict[str, int]:
        """The versions that are there of what the change expects and, where somebody witnesses it, of what it touches."""
        keys: Collection[str] = change.expected
        if change.witness is not None:
            keys = {*change.expected, *change.puts, *change.deletes}
        if not keys:
            return {}
        try:
            query, listed = _VERSIONS_OF, apsw.carray(tuple(keys))
        except ValueError:  # a key holds a NUL, at which SQLite's arrays of texts end
            query, listed = _VERSIONS_OF_BYTES, apsw.carray(tuple(key.encode() for key in keys))
        found: Any = self._writer.execute(query, (listed,))
        return dict(found)

    def _delete_and_put(self, change: _Change, before: Mapping[str, int]) -> list[Change]:
        execute, puts = self._writer.execute, change.puts
        applied: list[Change] = []
        is_witnessed = change.witness is not None
        for key in dict.fromkeys(change.deletes):
            if key in puts:
                continue
            execute(_DELETE, (key,))
            if is_witnessed and key in before:
                applied.append(Change(key, before[key], None, None))
        for key, (version, value) in puts.items():
            execute(_PUT, (key, version, value))
            if is_witnessed:
                applied.append(Change(key, before.get(key), version, value))
        return applied

    def _bear_witness(self, witnessed: list[tuple[Witness, list[Change]]]) -> Exception | None:
        """Bring the witnesses' records up to date. Answers what a witness has against it: then nothing of the batch may happen."""
        for witness, changes in witnessed:
            row = self._writer.execute(_RECORD_OF, (witness.key,)).fetchone()
            try:
                record = witness(changes, None if row is None else Record(*row))
            except Exception as refusal:  # noqa: BLE001 -- whatever it is, it is for the callers, and nothing was changed
                return refusal
            self._writer.execute(_PUT, (witness.key, record.version, record.value))
        return None

    def _roll_back(self, error: apsw.Error | None) -> StoreError | None:
        """Undo the transaction. Answers what the callers are told of ``error``."""
        # A conflict found in a transaction that was rolled back was found against changes that never happened.
        try:
            if not self._writer.get_autocommit():
                self._writer.execute("ROLLBACK")
        except apsw.Error:
            self._refuse_from_now_on()
            return Unknown("the database failed while rolling back: the outcome is unknown, so the store is stopped")
        if error is None:
            return None
        if isinstance(error, apsw.FullError):
            return Full(_FULL)
        return Unavailable("the database failed before anything was changed; check the disk")

    def _refuse_from_now_on(self) -> None:
        self._refusal = "the store stopped after a failed commit; restart the server to see what became durable"
