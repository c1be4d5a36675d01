"""A vault exists once its shares may leave, and not before."""

from __future__ import annotations

import pytest
from tests.barrier.vaults import FIVE_THREE, first_record, initialized, populate, texts, unseal

from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.seal_rows import UNANNOUNCED_KEY
from strongroom.barrier.states import State
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Full, Record, Unavailable


def test_a_vault_whose_shares_nobody_was_told_is_not_initialized_and_can_be_made_again(
    surroundings: Surroundings,
) -> None:
    interrupted = Lifecycle(surroundings)
    lost = texts(interrupted.found(FIVE_THREE, populate))
    assert interrupted.state is State.UNINITIALIZED
    restarted = Lifecycle(surroundings)
    assert not restarted.status().initialized
    with pytest.raises(InvalidRequest, match="not initialized"):
        restarted.submit_unseal_share(lost[0])
    shares = texts(restarted.initialize(FIVE_THREE, populate))
    unseal(restarted, shares)
    assert first_record(restarted) == b"written at initialization"
    other = Lifecycle(surroundings)
    for share in lost[:2]:
        other.submit_unseal_share(share)
    with pytest.raises(InvalidRequest, match="invalid key"):
        other.submit_unseal_share(lost[2])


def test_one_initialization_at_a_time(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    lifecycle.found(FIVE_THREE, populate)
    with pytest.raises(InvalidRequest, match="another request is initializing"):
        lifecycle.found(FIVE_THREE, populate)
    lifecycle.announce()
    with pytest.raises(InvalidRequest, match="already initialized"):
        lifecycle.found(FIVE_THREE, populate)


def test_an_initialization_that_is_abandoned_leaves_no_key_and_no_share(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    result = lifecycle.found(FIVE_THREE, populate)
    lifecycle.abandon()
    lifecycle.abandon()
    assert not any(any(share.reveal()) for share in result.shares)
    assert lifecycle.state is State.UNINITIALIZED
    lifecycle.initialize(FIVE_THREE, populate)


def test_where_the_announcement_cannot_be_stored_there_is_no_vault(
    surroundings: Surroundings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle = Lifecycle(surroundings)
    lifecycle.found(FIVE_THREE, populate)

    def refuse(*_: object, **__: object) -> None:
        raise Full("no space")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", refuse)
        with pytest.raises(Full):
            lifecycle.announce()
    assert lifecycle.state is State.UNINITIALIZED
    assert len(texts(lifecycle.initialize(FIVE_THREE, populate))) == 5


def test_a_store_with_many_records_is_never_deleted(surroundings: Surroundings, store: MemoryStore) -> None:
    Lifecycle(surroundings).found(FIVE_THREE, populate)
    store.commit({}, {f"root/core/many/{number}": Record(1, b"somebody's") for number in range(300)}, ())
    with pytest.raises(InvalidRequest, match="holds more than a new one"):
        Lifecycle(surroundings).initialize(FIVE_THREE, populate)


def test_a_vault_whose_records_are_gone_cannot_be_begun_anew(surroundings: Surroundings, store: MemoryStore) -> None:
    running, _ = initialized(surroundings)
    with store.snapshot() as snapshot:
        store.commit({}, {}, snapshot.keys(""))
    for lost in (lambda: Lifecycle(surroundings), lambda: running.found(FIVE_THREE, populate), running.status):
        with pytest.raises(Unavailable, match=r"does not hold it any more.*restore a backup"):
            lost()


def test_a_vault_that_was_told_is_never_taken_for_one_that_was_not(
    surroundings: Surroundings, store: MemoryStore
) -> None:
    running, _ = initialized(surroundings)
    with store.snapshot() as snapshot:
        before = snapshot.keys("")
    store.commit({}, {UNANNOUNCED_KEY: Record(1, b"")}, ())
    for lost in (lambda: Lifecycle(surroundings), lambda: running.found(FIVE_THREE, populate)):
        with pytest.raises(Unavailable, match="restore a backup"):
            lost()
    with store.snapshot() as snapshot:
        assert set(before) <= set(snapshot.keys(""))


def test_a_vault_of_an_older_server_is_remembered_from_its_next_start_on(
    surroundings: Surroundings, store: MemoryStore
) -> None:
    Lifecycle(surroundings)
    assert not store.is_founded
    initialized(surroundings)
    store.is_founded = False
    Lifecycle(surroundings)
    assert store.is_founded


def test_a_place_that_cannot_be_marked_does_not_undo_the_vault(
    surroundings: Surroundings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Unavailable("no space")

    monkeypatch.setattr(store, "mark_founded", refuse)
    lifecycle, shares = initialized(surroundings)
    unseal(lifecycle, shares)
    assert first_record(lifecycle) == b"written at initialization"


def test_copies_of_shares_are_wiped_on_demand(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    result = lifecycle.initialize(FIVE_THREE, populate)
    unseal(lifecycle, texts(result))
    result.wipe()
    assert not any(any(share.reveal()) for share in result.shares)
