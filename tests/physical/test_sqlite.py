from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest
from tests.physical.stores import keys, put

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.sqlite.connection import is_safe_version, open_connection, read_setting, refuse_unsafe_library
from strongroom.physical.store import Conflict, Full, Record, Unavailable


@pytest.mark.parametrize(
    ("number", "is_safe"),
    [
        (3_054_001, True),
        (3_051_003, True),
        (3_051_002, False),
        (3_050_007, True),
        (3_050_008, True),
        (3_050_006, False),
        (3_049_009, False),
        (3_044_006, True),
        (3_044_005, False),
        (3_040_001, False),
        (4_000_000, True),
    ],
)
def test_a_library_that_can_lose_acknowledged_writes_is_refused(number: int, *, is_safe: bool) -> None:
    assert is_safe_version(number) is is_safe
    if not is_safe:
        with pytest.raises(Unavailable, match="install a newer apsw"):
            refuse_unsafe_library(number)


def test_the_settings_that_keep_acknowledged_writes_are_in_force(store: SqliteStore, folder: Path) -> None:
    put(store, "a")
    connection = open_connection(folder / "strongroom.db")
    settings = ["journal_mode", "synchronous", "trusted_schema", "cell_size_check", "secure_delete"]
    found = [connection.pragma(name) for name in settings]
    connection.close()
    assert found == ["wal", 3, 0, 1, 1]


def test_a_setting_that_did_not_take_stops_the_start() -> None:
    with pytest.raises(Unavailable, match="synchronous did not take"):
        read_setting(lambda _: 1, "synchronous", 3)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_folder_and_files_are_closed_to_others_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = SqliteStore(tmp_path / "data")
        put(store, "a")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("strongroom.db", "strongroom.db-wal", "strongroom.db-shm", "lock", "reserve"), 0o600)
    store.close()


@pytest.mark.parametrize("name", ["", "strongroom.db", "lock"])
@pytest.mark.parametrize("bits", [0o040, 0o004, 0o020, 0o001])
def test_what_others_may_use_stops_the_start_with_the_command_that_closes_it(
    folder: Path, name: str, bits: int
) -> None:
    SqliteStore(folder).close()
    path = folder / name
    closed = 0o600 if name else 0o700
    path.chmod(closed | bits)
    with pytest.raises(Unavailable, match=f"chmod {closed:o} "):
        SqliteStore(folder)
    path.chmod(closed)
    SqliteStore(folder).close()


def test_a_link_or_a_folder_in_the_place_of_the_database_stops_the_start(tmp_path: Path) -> None:
    linked, nested = tmp_path / "linked", tmp_path / "nested"
    for folder in (linked, nested):
        folder.mkdir(mode=0o700)
    (linked / "strongroom.db").symlink_to(tmp_path / "elsewhere")
    (nested / "strongroom.db").mkdir()
    for folder in (linked, nested):
        with pytest.raises(Unavailable):
            SqliteStore(folder)
    assert not (tmp_path / "elsewhere").exists()


def test_links_on_the_way_to_the_folder_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "data").mkdir(mode=0o700)
    (tmp_path / "here").symlink_to(tmp_path / "disk")
    (tmp_path / "linked").symlink_to(tmp_path / "here" / "data")
    store = SqliteStore(tmp_path / "linked")
    (tmp_path / "linked").unlink()
    put(store, "a")
    assert keys(store) == ["a"]
    store.close()
    again = SqliteStore(tmp_path / "disk" / "data")
    assert keys(again) == ["a"]
    again.close()


def test_a_file_in_the_place_of_the_folder_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(Unavailable):
            SqliteStore(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_stops_the_start(folder: Path) -> None:
    SqliteStore(folder).close()
    os.chown(folder, 12345, -1)
    with pytest.raises(Unavailable, match="another user"):
        SqliteStore(folder)


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be looked at" * 40, b"SQLite format 3\0"]
)
def test_a_file_that_is_no_database_stops_the_start(folder: Path, content: bytes) -> None:
    folder.mkdir(mode=0o700)
    (folder / "strongroom.db").write_bytes(content)
    (folder / "strongroom.db").chmod(0o600)
    with pytest.raises(Unavailable, match="the database cannot be used"):
        SqliteStore(folder)


def test_a_database_of_a_newer_server_stops_the_start_and_is_left_alone(folder: Path) -> None:
    SqliteStore(folder).close()
    connection = open_connection(folder / "strongroom.db")
    connection.execute("UPDATE meta SET value = 99 WHERE name = 'format'")
    connection.close()
    with pytest.raises(Unavailable, match="newer server"):
        SqliteStore(folder)


def test_a_second_server_cannot_open_the_folder_until_the_first_lets_it_go(store: SqliteStore, folder: Path) -> None:
    script = "import sys; from strongroom.physical.sqlite import SqliteStore; SqliteStore(sys.argv[1])"
    command = [sys.executable, "-c", script, str(folder)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "another server has the data folder open" in refused.stderr
    with pytest.raises(Unavailable, match="another server"):
        SqliteStore(folder)
    (folder / "lock").unlink()  # as whoever takes it for one that was left behind
    with pytest.raises(Unavailable, match="another server"):
        SqliteStore(folder)
    store.close()
    assert subprocess.run(command, check=False).returncode == 0


def test_many_waiting_commits_share_a_transaction_and_a_conflict_of_one_touches_no_other(store: SqliteStore) -> None:
    put(store, "contended")
    statements: list[str] = []

    def trace(_: object, sql: str, __: object) -> bool:
        statements.append(sql)
        return True

    store._writer.exec_trace = trace
    outcomes: dict[int, str] = {}

    def commit(number: int) -> None:
        try:
            store.commit({"contended": 1}, {f"own/{number}": Record(1, b""), "contended": Record(2, b"")}, ())
            outcomes[number] = "won"
        except Conflict:
            outcomes[number] = "lost"

    threads = [threading.Thread(target=commit, args=(number,)) for number in range(8)]
    with store._writing:
        for thread in threads:
            thread.start()
        while len(store._queue) < len(threads):
            pass
    for thread in threads:
        thread.join()
    assert statements.count("COMMIT") == 1
    (winner,) = [number for number, outcome in outcomes.items() if outcome == "won"]
    assert keys(store) == ["contended", f"own/{winner}"]


def test_too_little_space_is_refused_before_anything_is_written_and_reads_go_on(folder: Path) -> None:
    store = SqliteStore(folder)
    put(store, "a")
    store._reserve_bytes = 2**62
    with pytest.raises(Full, match="free some"):
        put(store, "b")
    assert keys(store) == ["a"]
    store._reserve_bytes = 0
    put(store, "b")
    assert keys(store) == ["a", "b"]
    store.close()


def test_a_database_that_may_not_grow_is_full_and_works_again_when_it_may(store: SqliteStore) -> None:
    put(store, "a")
    pages = store._writer.pragma("page_count")
    store._writer.pragma("max_page_count", pages)
    with pytest.raises(Full):
        store.commit({}, {"big": Record(1, bytes(100_000))}, ["a"])
    assert keys(store) == ["a"]
    store._writer.pragma("max_page_count", 1_000_000)
    store.commit({}, {"big": Record(1, bytes(100_000))}, ["a"])
    assert keys(store) == ["big"]


def test_a_closed_snapshot_refuses_to_be_read(store: SqliteStore) -> None:
    snapshot = store.snapshot()
    snapshot.close()
    for act in (lambda: snapshot.get("a"), lambda: snapshot.keys("")):
        with pytest.raises(Unavailable, match="closed"):
            act()


def test_more_snapshots_than_the_pool_keeps_work_at_once(store: SqliteStore) -> None:
    put(store, "a")
    snapshots = [store.snapshot() for _ in range(20)]
    assert all(snapshot.get("a") for snapshot in snapshots)
    for snapshot in snapshots:
        snapshot.close()
    assert len(store._idle) == 8


def test_a_snapshot_that_outlives_its_store_can_still_be_closed(folder: Path) -> None:
    store = SqliteStore(folder)
    snapshot = store.snapshot()
    store.close()
    snapshot.close()
    SqliteStore(folder).close()


def test_a_record_too_large_for_the_database_is_refused_alone(store: SqliteStore) -> None:
    store._writer.limit(apsw.SQLITE_LIMIT_LENGTH, 10_000)
    with pytest.raises(Unavailable, match="larger than the database can hold"):
        store.commit({}, {"a": Record(1, b"small"), "big": Record(1, bytes(20_000))}, ())
    assert keys(store) == []
    put(store, "b")
    assert keys(store) == ["b"]


def test_a_folder_that_cannot_be_reached_fails_the_commit_before_anything_is_written(
    store: SqliteStore, folder: Path
) -> None:
    folder.rename(folder.with_name("moved"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        put(store, "a")
    folder.with_name("moved").rename(folder)
    put(store, "b")
    assert keys(store) == ["b"]


@pytest.mark.parametrize("name", ["strongroom.db", "strongroom.db-wal"])
@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_database_file_that_was_removed_or_replaced_takes_no_more_writes(
    store: SqliteStore, folder: Path, name: str, *, is_replaced: bool
) -> None:
    put(store, "a")
    assert keys(store) == ["a"]
    kept, copy = folder / "kept", folder / "copy"
    shutil.copy(folder / name, copy)
    (folder / name).rename(kept)
    if is_replaced:
        copy.rename(folder / name)
    with pytest.raises(Unavailable, match="removed or replaced"):
        put(store, "b")
    assert keys(store) == ["a"]  # from the connection that was open; there it can still be read, and saved

    kept.rename(folder / name)
    put(store, "c")
    assert keys(store) == ["a", "c"]


def test_a_file_put_in_the_place_of_the_database_is_not_read_as_if_it_were_it(store: SqliteStore, folder: Path) -> None:
    put(store, "a")
    shutil.copy(folder / "strongroom.db", folder / "older")
    put(store, "b")
    with store.snapshot():
        (folder / "older").replace(folder / "strongroom.db")
        with pytest.raises(Unavailable, match="removed or replaced"):
            store.snapshot()
        with pytest.raises(Unavailable, match="removed or replaced"):
            store.survey("root")


def test_a_database_that_was_emptied_is_refused_at_once_and_its_journal_is_left_alone(
    store: SqliteStore, folder: Path
) -> None:
    put(store, "a")
    with store.snapshot():
        os.truncate(folder / "strongroom.db", 0)
        with pytest.raises(Unavailable, match="emptied"):
            store.snapshot()
        with pytest.raises(Unavailable, match="emptied"):
            put(store, "b")
    assert (folder / "strongroom.db-wal").stat().st_size > 0


def test_a_fault_of_ours_in_mid_transaction_stops_the_store_for_good(store: SqliteStore) -> None:
    put(store, "a")
    with pytest.raises(TypeError):
        store.commit({}, {"b": Record(1, object())}, ())  # type: ignore[arg-type] # a mistake that the store must survive
    with pytest.raises(Unavailable, match="stopped"):
        put(store, "c")


def test_a_damaged_page_is_never_read_as_something_else(folder: Path) -> None:
    store = SqliteStore(folder)
    written = {f"k{number:03}": Record(number, b"%03d" % number * 100) for number in range(200)}
    store.commit({}, written, ())
    store.close()
    database = folder / "strongroom.db"
    intact = database.read_bytes()
    outcomes = set()
    for page in range(len(intact) // 4096):
        database.write_bytes(intact[: page * 4096] + b"\xa5" * 4096 + intact[(page + 1) * 4096 :])
        try:
            damaged = SqliteStore(folder)
        except Unavailable:
            outcomes.add("refused at the start")
            continue
        for key, record in written.items():
            try:
                with damaged.snapshot() as snapshot:
                    assert snapshot.get(key) == record
                    snapshot.keys("")
            except Unavailable:
                outcomes.add("refused at the reading")
        damaged.close()
    assert outcomes == {"refused at the start", "refused at the reading"}


LOCK_THE_DATABASE = """
import fcntl, sys
with open(sys.argv[1], "r+b") as database:
    fcntl.lockf(database, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
"""


def test_another_program_cannot_take_the_database_for_its_own_while_it_is_open(
    store: SqliteStore, folder: Path
) -> None:
    """SQLite's own lock must stay in force: without it, a visiting shell would delete the log that we write to."""
    put(store, "a")
    assert keys(store) == ["a"]
    command = [sys.executable, "-c", LOCK_THE_DATABASE, str(folder / "strongroom.db")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "BlockingIOError" in refused.stderr
    store.close()
    assert subprocess.run(command, check=False).returncode == 0
