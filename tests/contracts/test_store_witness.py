"""What every physical store promises to a witness, and of a survey."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from strongroom.physical.memory import MemoryStore
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Change, Conflict, Record, Store, Unavailable


class Counting:
    """A witness that writes down what it is told, and counts its calls in its record."""

    key = "summary"

    def __init__(self) -> None:
        self.calls: list[list[Change]] = []
        self.refusal: Exception | None = None

    def __call__(self, changes: Sequence[Change], found: Record | None) -> Record:
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(list(changes))
        return Record(1 if found is None else found.version + 1, b"summary")

    @property
    def changes(self) -> list[Change]:
        return [change for call in self.calls for change in call]


@pytest.fixture(params=["inmem", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    makers: dict[str, Callable[[], Store]] = {
        "inmem": MemoryStore,
        "sqlite": lambda: SqliteStore(tmp_path / "data"),
    }
    store = makers[request.param]()
    yield store
    store.close()


def contents(store: Store) -> dict[str, Record]:
    with store.snapshot() as snapshot:
        return {key: record for key in snapshot.keys("") if (record := snapshot.get(key)) is not None}


def test_a_witness_is_told_what_changed_and_its_record_changes_with_it(store: Store) -> None:
    witness = Counting()
    store.commit({"b": None}, {"a": Record(1, b"1"), "b": Record(2, b"2")}, ("gone",), witness)
    store.commit({"a": 1}, {"b": Record(3, b"3"), "c": Record(4, b"4")}, ("a", "c"), witness)
    assert [sorted(call) for call in witness.calls] == [
        [Change("a", None, 1, b"1"), Change("b", None, 2, b"2")],
        [Change("a", 1, None, None), Change("b", 2, 3, b"3"), Change("c", None, 4, b"4")],
    ]
    assert contents(store)["summary"] == Record(2, b"summary")


@pytest.mark.parametrize("expected", [{}, {"a": 1}])
def test_what_is_deleted_twice_in_one_commit_is_told_once(store: Store, expected: dict[str, int | None]) -> None:
    witness = Counting()
    store.commit({}, {"a": Record(1, b"")}, ())
    store.commit(expected, {}, ("a", "a"), witness)
    assert witness.changes == [Change("a", 1, None, None)]


def test_a_commit_that_changes_nothing_calls_no_witness(store: Store) -> None:
    witness = Counting()
    store.commit({"a": None}, {}, ("nothing",), witness)
    assert witness.calls == []
    assert contents(store) == {}


def test_a_conflict_calls_no_witness(store: Store) -> None:
    witness = Counting()
    with pytest.raises(Conflict):
        store.commit({"a": 1}, {"a": Record(2, b"")}, (), witness)
    assert witness.calls == []


@pytest.mark.parametrize("refusal", [Unavailable("no"), LookupError("no")])
def test_what_a_witness_raises_is_raised_and_nothing_changed(store: Store, refusal: Exception) -> None:
    witness = Counting()
    store.commit({}, {"a": Record(1, b"")}, (), witness)
    before = contents(store)
    witness.refusal = refusal
    with pytest.raises(type(refusal)):
        store.commit({}, {"a": Record(2, b""), "b": Record(3, b"")}, (), witness)
    assert contents(store) == before
    witness.refusal = None
    store.commit({}, {"a": Record(2, b"")}, (), witness)
    assert contents(store)["a"].version == 2


def test_a_commit_without_a_witness_leaves_its_record_alone(store: Store) -> None:
    store.commit({}, {"a": Record(1, b"")}, (), Counting())
    store.commit({}, {"a": Record(2, b"")}, ())
    assert contents(store)["summary"].version == 1


def test_commits_of_many_threads_are_each_told_once(store: Store) -> None:
    witness = Counting()

    def work(number: int) -> None:
        for version in range(1, 21):
            store.commit({}, {f"k{number}": Record(version, b"")}, (), witness)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(5):
        told = [(change.before, change.after) for change in witness.changes if change.key == f"k{number}"]
        assert told == [(version - 1 or None, version) for version in range(1, 21)]
    assert contents(store)["summary"].version == len(witness.calls) <= 100


def test_a_survey_shows_one_moment_and_every_key_in_order(store: Store) -> None:
    keys = [f"k/{number:03}" for number in range(25)]
    store.commit({}, {key: Record(number, b"v") for number, key in enumerate(keys)}, (), Counting())
    survey = store.survey("summary")
    store.commit({}, {"k/new": Record(1, b""), "k/003": Record(99, b"")}, ("k/001",), Counting())
    seen: list[tuple[str, int]] = []
    while page := survey.page(seen[-1][0] if seen else "", 7):
        assert len(page) <= 7
        seen += page
    survey.close()
    survey.close()
    assert seen == [(key, number) for number, key in enumerate(keys)] + [("summary", 1)]
    assert survey.record == Record(1, b"summary")


def test_a_survey_of_what_is_not_there_has_no_record(store: Store) -> None:
    survey = store.survey("nothing")
    assert survey.record is None
    assert survey.page("", 5) == []
    survey.close()


def test_a_closed_store_gives_no_survey(store: Store) -> None:
    store.close()
    with pytest.raises(Unavailable):
        store.survey("a")
