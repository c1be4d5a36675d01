from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import pytest
from tests.barrier.conftest import read, write

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.transaction import Transaction, _Layer
from strongroom.logical.storage import Storage, delete_tree
from strongroom.physical.store import Conflict


def test_a_transaction_is_a_storage(barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        storage: Storage = transaction
        view: Storage = transaction.view("a/")
        storage.put("a/b", b"v")
        assert view.get("b") == b"v"


def test_what_was_committed_is_read_by_later_transactions(barrier: Barrier) -> None:
    write(barrier, a=b"1", b=b"")
    assert read(barrier, "a") == b"1"
    assert read(barrier, "b") == b""
    assert read(barrier, "c") is None


def test_a_transaction_reads_its_own_writes_and_others_do_not(barrier: Barrier) -> None:
    write(barrier, a=b"old", b=b"old")
    with barrier.transaction() as mine, barrier.transaction() as other:
        mine.put("a", b"new")
        mine.delete("b")
        assert (mine.get("a"), mine.get("b")) == (b"new", None)
        assert (other.get("a"), other.get("b")) == (b"old", b"old")
    assert read(barrier, "a") == b"old"


def test_a_put_value_does_not_alias_the_callers_buffer(barrier: Barrier) -> None:
    buffer = bytearray(b"before")
    with barrier.transaction() as transaction:
        transaction.put("a", buffer)  # type: ignore[arg-type] # a caller that does what it should not
        buffer[:] = b"after!"
        assert transaction.get("a") == b"before"


@pytest.mark.parametrize("key", ["", "a/", "/"])
def test_a_key_that_is_no_name_is_refused(barrier: Barrier, key: str) -> None:
    with barrier.transaction() as transaction, pytest.raises(ValueError, match="storage key"):
        transaction.put(key, b"v")


def test_a_change_of_a_key_that_was_read_is_a_conflict_and_nothing_is_written(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    with barrier.transaction() as mine:
        mine.get("a")
        mine.put("b", b"based on a")
        write(barrier, a=b"2")
        with pytest.raises(Conflict):
            barrier.commit(mine)
    assert read(barrier, "b") is None


@pytest.mark.parametrize("change", [b"same", b"other", None])
def test_any_rewriting_of_a_key_whose_version_was_read_is_a_conflict(barrier: Barrier, change: bytes | None) -> None:
    write(barrier, a=b"same")
    with barrier.transaction() as mine:
        mine.version("a")
        mine.put("b", b"")
        write(barrier, a=change)
        with pytest.raises(Conflict):
            barrier.commit(mine)


def test_a_key_that_was_absent_and_appeared_is_a_conflict(barrier: Barrier) -> None:
    with barrier.transaction() as mine:
        assert mine.get("a") is None
        mine.put("a", b"first")
        write(barrier, a=b"faster")
        with pytest.raises(Conflict):
            barrier.commit(mine)
    assert read(barrier, "a") == b"faster"


def test_a_key_that_was_deleted_and_made_again_is_a_conflict(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    with barrier.transaction() as mine:
        mine.get("a")
        mine.put("b", b"")
        write(barrier, a=None)
        write(barrier, a=b"1")
        with pytest.raises(Conflict):
            barrier.commit(mine)


def test_writes_without_a_read_never_conflict(barrier: Barrier) -> None:
    with barrier.transaction() as mine:
        mine.put("a", b"mine")
        write(barrier, a=b"other")
        barrier.commit(mine)
    assert read(barrier, "a") == b"mine"


def test_a_transaction_that_only_read_commits_whatever_happened(barrier: Barrier) -> None:
    with barrier.transaction() as mine:
        mine.get("a")
        write(barrier, a=b"other")
        barrier.commit(mine)


def test_a_dropped_nested_transaction_leaves_no_trace(barrier: Barrier) -> None:
    write(barrier, a=b"1", read=b"1")
    with barrier.transaction() as outer:
        outer.put("b", b"outer")
        with outer.begin_nested() as inner:
            assert inner.get("b") == b"outer"
            inner.get("read")
            inner.put("a", b"inner")
            inner.delete("b")
            assert (inner.get("a"), inner.get("b")) == (b"inner", None)
        assert (outer.get("b"), outer.changes()) == (b"outer", {"b": b"outer"})
        write(barrier, read=b"2")
        barrier.commit(outer)
    assert (read(barrier, "a"), read(barrier, "b")) == (b"1", b"outer")


def test_a_merged_nested_transaction_gives_its_writes_and_its_reads(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    with barrier.transaction() as outer:
        with outer.begin_nested() as inner:
            inner.get("a")
            inner.put("b", b"inner")
            inner.merge()
            assert not inner.has_changes
        assert outer.get("b") == b"inner"
        write(barrier, a=b"2")
        with pytest.raises(Conflict):
            barrier.commit(outer)
    assert read(barrier, "b") is None


def test_a_merged_nested_transaction_that_only_read_is_no_reason_of_a_conflict(barrier: Barrier) -> None:
    with barrier.transaction() as outer:
        with outer.begin_nested() as reader:
            reader.get("a")
            reader.merge()
        outer.put("b", b"outer")
        write(barrier, a=b"2")
        barrier.commit(outer)
    assert read(barrier, "b") == b"outer"


def test_nesting_goes_deeper_than_one(barrier: Barrier) -> None:
    with barrier.transaction() as outer:
        outer.put("a", b"1")
        with outer.begin_nested() as middle:
            middle.put("b", b"2")
            with middle.begin_nested() as inner:
                inner.delete("a")
                inner.put("c", b"3")
                assert list(inner.scan("")) == ["b", "c"]
                inner.merge()
            assert list(middle.scan("")) == ["b", "c"]
            assert list(outer.scan("")) == ["a"]
            middle.merge()
        barrier.commit(outer)
    assert [read(barrier, key) for key in "abc"] == [None, b"2", b"3"]


def test_only_nested_ones_merge_and_only_others_commit(barrier: Barrier) -> None:
    with barrier.transaction() as outer:
        outer.put("a", b"1")
        with pytest.raises(ValueError, match="nested"):
            outer.merge()
        with outer.begin_nested() as inner, pytest.raises(ValueError, match="nested"):
            barrier.commit(inner)
        assert outer.has_changes


def test_a_version_stands_for_one_writing_only(barrier: Barrier) -> None:
    seen: list[int | None] = []
    for value in (b"1", b"1", None, b"1"):
        write(barrier, a=value)
        with barrier.transaction() as transaction:
            seen.append(transaction.version("a"))
    assert seen[2] is None
    assert len(set(seen)) == 4


def test_an_uncommitted_write_has_a_version_of_its_own_too(barrier: Barrier) -> None:
    write(barrier, a=b"1")
    versions = []
    with barrier.transaction() as transaction:
        versions.append(transaction.version("a"))
        for value in (b"2", b"3"):
            transaction.put("a", value)
            versions.append(transaction.version("a"))
            assert transaction.version("a") == versions[-1]
        with transaction.begin_nested() as inner:
            assert inner.version("a") == versions[-1]
            inner.put("a", b"4")
            versions.append(inner.version("a"))
            inner.merge()
        assert transaction.version("a") == versions[-1]
        transaction.delete("a")
        assert transaction.version("a") is None
    with barrier.transaction() as again:
        again.put("a", b"5")
        versions.append(again.version("a"))
    assert None not in versions
    assert len(set(versions)) == len(versions)


def test_children_shows_names_and_folders_once_in_order(barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        for key in ("f/a", "f/a/x", "f/a/y/z", "f/a-b", "f/a0", "f/b/c", "g", "f0"):
            transaction.put(key, b"")
        barrier.commit(transaction)
    with barrier.transaction() as transaction:
        assert transaction.children("") == ["f/", "f0", "g"]
        assert transaction.children("f/") == ["a", "a-b", "a/", "a0", "b/"]
        assert transaction.children("f/", after="a") == ["a-b", "a/", "a0", "b/"]
        assert transaction.children("f/", after="a/") == ["a0", "b/"]
        assert transaction.children("f/", after="a/", limit=1) == ["a0"]
        assert transaction.children("f/", limit=2) == ["a", "a-b"]
        assert transaction.children("f/", limit=0) == []
        assert transaction.children("f/", after="a/x") == ["a0", "b/"]
        assert transaction.children("nothing/") == []
        with pytest.raises(ValueError, match="ends in"):
            transaction.children("f")


def test_children_reads_few_keys_of_a_folder_with_many(surroundings: Surroundings, barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        for number in range(3000):
            transaction.put(f"big/{number}", b"")
        transaction.put("last", b"")
        barrier.commit(transaction)
    snapshot = CountingSnapshot(surroundings)
    transaction = Transaction(snapshot, lambda _, record: record.value, lambda: -1)
    assert transaction.children("") == ["big/", "last"]
    assert snapshot.listed <= 40


class CountingSnapshot:
    """A snapshot that counts how many keys it listed."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._snapshot = surroundings.store.snapshot()
        self.listed = 0
        self.get = self._snapshot.get
        self.entries = self._snapshot.entries
        self.keys_in = self._snapshot.keys_in
        self.close = self._snapshot.close
        self.state = self._snapshot.state

    def keys(self, prefix: str, after: str = "", limit: int | None = None, *, start: str = "") -> list[str]:
        found = self._snapshot.keys(prefix, after, limit, start=start)
        self.listed += len(found)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def test_views_of_views_join_their_prefixes_and_cannot_leave_them(barrier: Barrier) -> None:
    with barrier.transaction() as transaction:
        transaction.put("mounts/other", b"out of reach")
        view = transaction.view("mounts/").view("m1/")
        view.put("a/b", b"1")
        view.view("a/").put("c", b"2")
        assert transaction.get("mounts/m1/a/b") == b"1"
        assert view.children("") == ["a/"]
        assert list(view.scan("")) == ["a/b", "a/c"]
        assert list(view.scan("a/", after="a/b")) == ["a/c"]
        assert view.view("a/").children("", after="b") == ["c"]
        assert view.get("../other") is None
        view.delete("a/b")
        assert view.version("a/b") is None
        assert view.version("a/c") is not None
        assert delete_tree(view) == 1
        assert transaction.get("mounts/other") == b"out of reach"
        with pytest.raises(ValueError, match="ends in"):
            transaction.view("mounts")


def test_a_scan_goes_over_many_pages_and_does_not_see_later_changes(barrier: Barrier) -> None:
    keys = [f"k/{number:05}" for number in range(1500)]
    with barrier.transaction() as transaction:
        for key in keys:
            transaction.put(key, b"")
        barrier.commit(transaction)
    with barrier.transaction() as transaction:
        transaction.put("k/00000a", b"")
        transaction.delete("k/00001")
        scan = transaction.scan("k/")
        for key in scan_and_delete(scan, transaction):
            assert key != "k/00001"
        assert list(transaction.scan("k/")) == []


def scan_and_delete(scan: Iterator[str], transaction: Transaction) -> Iterator[str]:
    for key in scan:
        transaction.delete(key)
        yield key


def test_looking_below_a_folder_costs_what_was_changed_since_and_not_all_changes() -> None:
    looked_at: list[str] = []

    class Counted(dict[str, bytes | None]):
        def __iter__(self) -> Iterator[str]:
            for key in super().__iter__():
                looked_at.append(key)
                yield key

        def __reversed__(self) -> Iterator[str]:
            for key in list(super().__reversed__()):
                looked_at.append(key)
                yield key

    layer = _Layer()
    layer.writes = Counted()
    for number in range(1000):
        layer.writes[f"tokens/{number}/entry"] = None
        assert list(layer.changed_below("elsewhere/")) == []
        assert list(layer.changed_below(f"tokens/{number}/")) == [f"tokens/{number}/entry"]
    assert len(looked_at) < 3000  # looking at all of them each time would be a million
