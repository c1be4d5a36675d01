"""What every physical store promises, whichever it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.physical.memory import MemoryStore
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import VERSION_MAX, Conflict, Record, Store, Unavailable, prefix_end

KEYS = ["a", "a/", "a/b", "a/é", "a/\ud7ff", "a/\ue000", "a/\U0001f511", "a0", "b", "ä", "\U0010ffff", "\U0010ffffz"]


class Opened:
    """A store that can be closed and opened again, keeping what a restart keeps."""

    def __init__(self, opener: Callable[[], Store]) -> None:
        self._opener = opener
        self.store = opener()

    def reopen(self) -> Store:
        self.store.close()
        self.store = self._opener()
        return self.store


@pytest.fixture(params=["inmem", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    memory = MemoryStore()
    openers: dict[str, Callable[[], Store]] = {
        "inmem": memory.reopen,
        "sqlite": lambda: SqliteStore(tmp_path / "data"),
    }
    opened = Opened(openers[request.param])
    yield opened
    opened.store.close()


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened.store


def contents(store: Store, prefix: str = "") -> dict[str, Record]:
    with store.snapshot() as snapshot:
        return {key: record for key in snapshot.keys(prefix) if (record := snapshot.get(key)) is not None}


def put(store: Store, *keys: str, version: int = 1) -> None:
    store.commit({}, {key: Record(version, key.encode()) for key in keys}, ())


def test_a_committed_record_is_read_back_with_its_version(store: Store) -> None:
    store.commit({}, {"k": Record(VERSION_MAX, b"\x00\xff")}, ())
    assert contents(store) == {"k": Record(VERSION_MAX, b"\x00\xff")}


def test_a_key_may_hold_any_character_that_text_has(store: Store) -> None:
    keys = {"a": 1, "a\0b": 2, "\0": 3, "ü/\n/🗝": 4}
    store.commit(dict.fromkeys(keys), {key: Record(version, b"x") for key, version in keys.items()}, ())
    with pytest.raises(Conflict):
        store.commit({"a\0b": 1}, {"a": Record(9, b"y")}, ())
    store.commit(dict(keys), {"a\0b": Record(5, b"y")}, ["\0"])
    assert contents(store) == {
        "a": Record(1, b"x"),
        "a\0b": Record(5, b"y"),
        "ü/\n/🗝": Record(4, b"x"),
    }


def test_a_key_that_was_never_put_is_absent(store: Store) -> None:
    with store.snapshot() as snapshot:
        assert snapshot.get("nothing") is None
        assert snapshot.keys("nothing") == []


def test_an_empty_value_is_a_value(store: Store) -> None:
    store.commit({}, {"k": Record(0, b"")}, ())
    assert contents(store) == {"k": Record(0, b"")}


def test_keys_come_in_the_order_of_their_code_points(store: Store) -> None:
    put(store, *reversed(KEYS))
    with store.snapshot() as snapshot:
        assert snapshot.keys("") == sorted(KEYS)


@pytest.mark.parametrize("prefix", ["a", "a/", "a/\ud7ff", "\U0010ffff", "zz", "ä"])
@pytest.mark.parametrize("after", ["", "a", "a/b", "a/\ud7ff", "b", "\U0010ffff"])
@pytest.mark.parametrize("start", ["", "a0", "a/é"])
def test_a_listing_holds_exactly_the_keys_in_range(store: Store, prefix: str, after: str, start: str) -> None:
    put(store, *KEYS)
    wanted = [key for key in sorted(KEYS) if key.startswith(prefix) and key > after and key >= start]
    with store.snapshot() as snapshot:
        assert snapshot.keys(prefix, after, start=start) == wanted
        assert snapshot.keys(prefix, after, 2, start=start) == wanted[:2]
        assert snapshot.keys(prefix, after, 0, start=start) == []


@pytest.mark.parametrize("folders", [(), ("none",), ("a",), ("a", "none", "b"), ("\U0010ffff", "a0", "a")])
@pytest.mark.parametrize("limit", [0, 1, 6, 7, 100])
def test_what_is_in_some_folders_is_found_together_unless_it_is_too_much(
    store: Store, folders: tuple[str, ...], limit: int
) -> None:
    there = [*KEYS, "b/c"]
    put(store, *there)
    wanted = sorted(key for key in there if any(key.startswith(f"{one}/") for one in folders))
    with store.snapshot() as snapshot:
        found = snapshot.keys_in(folders, limit)
    assert (None if found is None else sorted(found)) == (wanted if len(wanted) <= limit else None)


@given(st.text(max_size=3), st.text(max_size=5))
def test_the_end_of_a_prefix_lies_behind_all_that_begin_with_it_and_before_everything_else(
    prefix: str, other: str
) -> None:
    end = prefix_end(prefix)
    assert end is None or prefix + other < end
    if other >= prefix and not other.startswith(prefix):
        assert end is not None
        assert other >= end


def test_a_commit_whose_expectation_fails_changes_nothing(store: Store) -> None:
    put(store, "k", version=3)
    before = contents(store)
    for expected in ({"k": 2}, {"k": None}, {"other": 1}, {"k": 3, "other": 0}):
        with pytest.raises(Conflict):
            store.commit(expected, {"k": Record(4, b"new"), "x": Record(4, b"x")}, ["k"])
        assert contents(store) == before


def test_a_commit_whose_expectations_hold_is_applied_whole(store: Store) -> None:
    put(store, "k", "gone", version=3)
    store.commit({"k": 3, "other": None}, {"k": Record(4, b"new"), "x": Record(5, b"x")}, ["gone"])
    assert contents(store) == {"k": Record(4, b"new"), "x": Record(5, b"x")}


def test_an_expectation_alone_is_checked_too(store: Store) -> None:
    store.commit({"k": None}, {}, ())
    with pytest.raises(Conflict):
        store.commit({"k": 1}, {}, ())


def test_deleting_what_is_absent_is_fine(store: Store) -> None:
    store.commit({}, {}, ["nothing"])
    assert contents(store) == {}


def test_a_key_that_is_put_and_deleted_at_once_is_put(store: Store) -> None:
    store.commit({}, {"k": Record(1, b"v")}, ["k"])
    assert contents(store) == {"k": Record(1, b"v")}


def test_a_snapshot_does_not_see_what_is_committed_after_it(store: Store) -> None:
    put(store, "a", "b")
    with store.snapshot() as snapshot:
        store.commit({}, {"a": Record(2, b"new"), "c": Record(2, b"c")}, ["b"])
        assert snapshot.get("a") == Record(1, b"a")
        assert snapshot.keys("") == ["a", "b"]
    assert sorted(contents(store)) == ["a", "c"]


def test_two_snapshots_of_one_thread_each_keep_their_moment(store: Store) -> None:
    first = store.snapshot()
    put(store, "a")
    with store.snapshot() as second:
        assert second.keys("") == ["a"]
        assert first.keys("") == []
    first.close()
    first.close()


def test_snapshots_between_which_nothing_was_committed_name_the_same_state(store: Store) -> None:
    put(store, "k")
    states = set()
    for _ in range(3):
        with store.snapshot() as snapshot:
            states.add(snapshot.state)
    assert len(states) == 1


def test_a_commit_makes_another_state_whatever_it_changes(store: Store) -> None:
    put(store, "k")
    changes: list[Callable[[], None]] = [
        lambda: put(store, "k", version=2),
        lambda: put(store, "k"),  # as it was before
        lambda: put(store, "new"),
        lambda: store.commit({}, {}, ("new",)),
        lambda: put(store, "new"),
    ]
    states = []
    for change in changes:
        change()
        with store.snapshot() as snapshot:
            states.append(snapshot.state)
    assert len(set(states)) == len(states)


def test_the_state_of_an_open_snapshot_is_the_one_that_it_shows(store: Store) -> None:
    put(store, "k")
    with store.snapshot() as before:
        state = before.state
        put(store, "k", version=2)
        with store.snapshot() as after:
            assert after.state != state
            assert after.get("k") == Record(2, b"k")
        assert before.state == state
        assert before.get("k") == Record(1, b"k")


def test_stored_bytes_do_not_alias_the_callers_buffer(store: Store) -> None:
    buffer = bytearray(b"before")
    store.commit({}, {"k": Record(1, buffer)}, ())  # type: ignore[arg-type] # a caller that does what it should not
    buffer[:] = b"after!"
    assert contents(store) == {"k": Record(1, b"before")}


def test_the_entries_of_a_snapshot_are_all_records_of_its_moment_in_order(store: Store) -> None:
    put(store, "b", "a", "ä", "\U0010ffff", "a/b")
    with store.snapshot() as snapshot:
        entries = snapshot.entries()
        first = next(entries)
        put(store, "a", "zz", version=2)
        found = [first, *entries]
        assert [key for key, _ in found] == ["a", "a/b", "b", "ä", "\U0010ffff"]
        assert all(record == snapshot.get(key) for key, record in found)
    with store.snapshot() as snapshot:
        assert len(list(snapshot.entries())) == 6


def test_entries_can_be_left_in_the_middle(store: Store) -> None:
    put(store, *(f"k{number:03}" for number in range(300)))
    for _ in range(20):
        with store.snapshot() as snapshot:
            assert next(snapshot.entries())[0] == "k000"
    put(store, "k000", version=2)
    assert contents(store)["k000"].version == 2


@pytest.mark.parametrize("version", [-1, VERSION_MAX + 1])
def test_a_version_out_of_range_is_refused_and_changes_nothing(store: Store, version: int) -> None:
    with pytest.raises(ValueError, match="version"):
        store.commit({}, {"a": Record(1, b"a"), "b": Record(version, b"b")}, ())
    assert contents(store) == {}


def test_a_key_that_is_no_text_is_refused_and_changes_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        store.commit({}, {"a": Record(1, b"a"), "\ud800": Record(1, b"b")}, ())
    assert contents(store) == {}


def test_counters_raised_by_many_threads_lose_no_count(store: Store) -> None:
    put(store, "shared", *[f"own/{number}" for number in range(6)], version=0)

    def raise_to(key: str, times: int) -> None:
        done = 0
        while done < times:
            with store.snapshot() as snapshot:
                found = snapshot.get(key)
            assert found is not None
            try:
                store.commit({key: found.version}, {key: Record(found.version + 1, b"")}, ())
            except Conflict:
                continue
            done += 1

    def work(number: int) -> None:
        raise_to("shared", 25)
        raise_to(f"own/{number}", 25)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = {key: record.version for key, record in contents(store).items()}
    assert versions == {"shared": 150, **{f"own/{number}": 25 for number in range(6)}}


def test_everything_is_there_after_reopening(opened: Opened) -> None:
    put(opened.store, *KEYS)
    opened.store.commit({}, {}, ["a/b"])
    before = contents(opened.store)
    assert contents(opened.reopen()) == before
    assert sorted(before) == sorted(set(KEYS) - {"a/b"})


def test_a_closed_store_refuses_everything(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(Unavailable):
        store.snapshot()
    with pytest.raises(Unavailable):
        store.commit({}, {"a": Record(1, b"a")}, ())
