from __future__ import annotations

import threading

import pytest
from tests.kit import JumpingClock, Vault

from strongroom.core.inspector import EVERY_SECONDS, SHARE, Inspector
from strongroom.physical.memory import MemorySnapshot, MemoryStore
from strongroom.physical.store import Unavailable
from strongroom.system.integrity import State


class SlowStore(MemoryStore):
    """A store in which each snapshot takes a while."""

    def __init__(self, clock: JumpingClock) -> None:
        super().__init__()
        self._clock = clock
        self.seconds = 0.0

    def snapshot(self) -> MemorySnapshot:
        self._clock.jump(self.seconds)
        return super().snapshot()


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def store(clock: JumpingClock) -> SlowStore:
    return SlowStore(clock)


@pytest.fixture
def vault(clock: JumpingClock, store: SlowStore) -> Vault:
    return Vault(clock=clock, store=store)


def inspector_of(vault: Vault) -> Inspector:
    return Inspector(vault.node, vault.failures.append)


def test_an_inspection_rests_nine_times_as_long_as_it_works(
    vault: Vault, store: SlowStore, clock: JumpingClock
) -> None:
    store.seconds = 0.002
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    before = clock.monotonic()
    inspector_of(vault).round(pause)
    worked = clock.monotonic() - before
    # The anchor and the end are looked after outside of the steps.
    assert 0 < sum(pauses) <= worked * (1 - SHARE) / SHARE + 1e-6
    assert max(pauses) <= 2 * 0.002 * (1 - SHARE) / SHARE + 1e-6
    assert sum(pauses) >= (worked - 3 * 0.002) * (1 - SHARE) / SHARE


def test_an_inspection_that_is_stopped_says_nothing_about_the_store(vault: Vault) -> None:
    inspector_of(vault).round(lambda _seconds: True)
    assert vault.node.integrity.inspected.state is State.RUNNING
    assert vault.node.integrity.findings == ()


def test_a_vault_that_is_sealed_under_an_inspection_ends_it(vault: Vault) -> None:
    def seal(_seconds: float) -> bool:
        vault.node.seal()
        return False

    inspector_of(vault).round(seal)
    assert vault.node.integrity.inspected.state is State.RUNNING
    assert vault.failures == []


def test_a_sealed_vault_is_not_inspected(vault: Vault) -> None:
    vault.node.seal()
    inspector_of(vault).round(lambda _seconds: pytest.fail("it was inspected"))


def test_an_inspection_comes_again_after_each_unseal_and_after_a_day(vault: Vault, clock: JumpingClock) -> None:
    inspector = inspector_of(vault)
    steps: list[float] = []

    def pause(seconds: float) -> bool:
        steps.append(seconds)
        return False

    def is_inspected() -> bool:
        steps.clear()
        inspector.round(pause)
        return bool(steps)

    assert [is_inspected(), is_inspected()] == [True, False]
    vault.node.seal()
    assert not is_inspected()
    vault.unseal()
    assert [is_inspected(), is_inspected()] == [True, False]
    clock.jump(EVERY_SECONDS)
    assert [is_inspected(), is_inspected()] == [True, False]


def test_a_store_that_cannot_be_read_is_no_tampering(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_key: str) -> None:
        raise Unavailable("the disk")

    monkeypatch.setattr(vault.node.lifecycle.surroundings.store, "survey", refuse)
    with pytest.raises(Unavailable):
        inspector_of(vault).round(lambda _seconds: False)
    assert vault.node.integrity.findings == ()


def test_why_a_store_cannot_be_read_is_told_once(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = threading.Semaphore(0)

    def refuse(_key: str) -> None:
        rounds.release()
        raise Unavailable("the disk")

    monkeypatch.setattr(vault.node.lifecycle.surroundings.store, "survey", refuse)
    monkeypatch.setattr("strongroom.core.inspector.ROUND_SECONDS", 0.001)
    inspector = inspector_of(vault)
    inspector.start()
    try:
        for _ in range(3):
            assert rounds.acquire(timeout=30)
    finally:
        inspector.stop()
    assert [str(failure) for failure in vault.failures] == ["the disk"]
