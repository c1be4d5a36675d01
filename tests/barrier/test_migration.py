"""From one seal to another: the shares stay with their keepers and change their meaning."""

from __future__ import annotations

import pytest
from tests.barrier.vaults import first_record, initialized, populate, texts

from strongroom import failpoints
from strongroom.barrier.authorisation import Authorisation
from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.initialization import InitConfig
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.static import StaticSeal
from strongroom.logical.ambient import Entropy
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Full, Unavailable

RECOVERY = InitConfig(recovery_shares=3, recovery_threshold=2)


def seal(entropy: Entropy, name: str, previous: str = "") -> StaticSeal:
    older = StaticSeal(bytearray(previous.encode() * 32), entropy, previous) if previous else None
    return StaticSeal(bytearray(name.encode() * 32), entropy, name, previous=older)


def migrate(lifecycle: Lifecycle, shares: list[str]) -> None:
    for share in shares:
        lifecycle.submit_unseal_share(share, migrate=True)


def agrees(lifecycle: Lifecycle, shares: list[str]) -> bool:
    attempt = Authorisation(lifecycle)
    return any(attempt.submit(share, attempt.nonce) for share in shares)


def test_unseal_shares_become_recovery_shares(surroundings: Surroundings) -> None:
    _, shares = initialized(surroundings)
    there = Lifecycle(surroundings, seal(surroundings.entropy, "A"))
    waiting = there.status()
    assert (waiting.is_migrating, waiting.sealed, waiting.type, waiting.recovery_seal) == (True, True, "static", True)
    assert (waiting.t, waiting.n) == (3, 5)
    with pytest.raises(InvalidRequest, match="waits for its migration"):
        there.unseal_automatically()
    with pytest.raises(InvalidRequest, match="seal migration is pending"):
        there.submit_unseal_share(shares[0])
    migrate(there, shares[:3])
    done = there.status()
    assert (done.is_migrating, done.sealed, done.t, done.n) == (False, False, 3, 5)
    again = Lifecycle(surroundings, seal(surroundings.entropy, "A"))
    assert not again.unseal_automatically().sealed
    assert first_record(again) == b"written at initialization"
    assert agrees(again, shares[2:])
    with pytest.raises(Unavailable, match="another type of seal"):
        Lifecycle(surroundings)


def test_recovery_shares_become_unseal_shares(surroundings: Surroundings) -> None:
    shares = texts(Lifecycle(surroundings, seal(surroundings.entropy, "A")).initialize(RECOVERY, populate))
    back = Lifecycle(surroundings, None, seal(surroundings.entropy, "A"))
    waiting = back.status()
    assert (waiting.is_migrating, waiting.type, waiting.recovery_seal, waiting.t) == (True, "shamir", False, 2)
    migrate(back, shares[1:])
    assert not back.status().sealed
    for leaving in (None, seal(surroundings.entropy, "A")):
        by_hand = Lifecycle(surroundings, None, leaving)
        assert not by_hand.is_migrating
        for share in shares[:2]:
            by_hand.submit_unseal_share(share)
        assert first_record(by_hand) == b"written at initialization"


def test_another_key_takes_the_place_of_the_machines(surroundings: Surroundings) -> None:
    shares = texts(Lifecycle(surroundings, seal(surroundings.entropy, "A")).initialize(RECOVERY, populate))
    moving = Lifecycle(surroundings, seal(surroundings.entropy, "B"), seal(surroundings.entropy, "A"))
    assert moving.is_migrating
    migrate(moving, shares[:2])
    moved = Lifecycle(surroundings, seal(surroundings.entropy, "B"), seal(surroundings.entropy, "A"))
    assert not moved.is_migrating
    assert not moved.unseal_automatically().sealed
    assert agrees(moved, shares)


def test_the_key_before_the_current_one_opens_and_is_not_needed_afterwards(surroundings: Surroundings) -> None:
    Lifecycle(surroundings, seal(surroundings.entropy, "A")).initialize(RECOVERY, populate)
    assert not Lifecycle(surroundings, seal(surroundings.entropy, "B", "A")).unseal_automatically().sealed
    alone = Lifecycle(surroundings, seal(surroundings.entropy, "B"))
    assert not alone.unseal_automatically().sealed
    assert first_record(alone) == b"written at initialization"


def test_a_store_that_is_full_does_not_keep_a_vault_closed_whose_key_changes(
    surroundings: Surroundings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lifecycle(surroundings, seal(surroundings.entropy, "A")).initialize(RECOVERY, populate)
    changing = Lifecycle(surroundings, seal(surroundings.entropy, "B", "A"))

    def refuse(*_: object, **__: object) -> None:
        raise Full("no space")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", refuse)
        assert not changing.unseal_automatically().sealed
    assert not Lifecycle(surroundings, seal(surroundings.entropy, "A")).unseal_automatically().sealed


def test_wrong_shares_migrate_nothing_and_the_former_seal_still_opens(surroundings: Surroundings) -> None:
    shares = texts(Lifecycle(surroundings, seal(surroundings.entropy, "A")).initialize(RECOVERY, populate))
    back = Lifecycle(surroundings, None, seal(surroundings.entropy, "A"))
    with pytest.raises(InvalidRequest, match="invalid key"):
        migrate(back, [shares[0], "00" * 32 + shares[1][-2:]])
    assert (back.status().sealed, back.status().progress) == (True, 0)
    assert not Lifecycle(surroundings, seal(surroundings.entropy, "A")).unseal_automatically().sealed
    migrate(back, shares[:2])


def test_a_migration_is_asked_for_only_where_there_is_one(surroundings: Surroundings) -> None:
    by_hand, shares = initialized(surroundings)
    with pytest.raises(InvalidRequest, match="no migration seal found"):
        by_hand.submit_unseal_share(shares[0], migrate=True)
    assert by_hand.status().progress == 0


def test_a_seal_without_its_key_cannot_be_left(surroundings: Surroundings) -> None:
    shares = texts(Lifecycle(surroundings, seal(surroundings.entropy, "A")).initialize(RECOVERY, populate))
    lost: Seal = seal(surroundings.entropy, "C")
    back = Lifecycle(surroundings, None, lost)
    with pytest.raises(InvalidRequest, match="the shares were not tried"):
        migrate(back, shares[:2])
    assert back.status().progress == 0


@pytest.mark.parametrize("point", ["migration_before_swap", "root_key_before_swap"])
def test_a_migration_that_fails_leaves_the_former_seal(
    surroundings: Surroundings, point: failpoints.Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, shares = initialized(surroundings)
    there = Lifecycle(surroundings, seal(surroundings.entropy, "A"))

    def fail() -> None:
        raise Full("no space")

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "_armed", {point: fail})
        with pytest.raises(Full):
            migrate(there, shares[:3])
    assert (there.status().sealed, there.is_migrating) == (True, True)
    by_hand = Lifecycle(surroundings)
    for share in shares[:3]:
        by_hand.submit_unseal_share(share)
    assert not by_hand.status().sealed


def test_nothing_of_the_shares_is_left_after_a_migration_and_a_seal(surroundings: Surroundings) -> None:
    _, shares = initialized(surroundings)
    there = Lifecycle(surroundings, seal(surroundings.entropy, "A"))
    migrate(there, shares[:3])
    root_key = there.unsealed()._keys.root_key
    there.seal()
    assert not any(root_key)
    assert there.keys._opener is None
