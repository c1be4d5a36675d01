"""Another root key, other shares: each in one commit, and never without a way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.barrier.assigned import ONE, TWO, assign, read, write
from tests.barrier.test_rekey import TWO_OF_THREE, VERIFIED, Vault, new_shares
from tests.barrier.vaults import first_record, initialized, unseal

from strongroom.barrier.authorisation import Authorisation
from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.rekey import Rekey, RekeyConfig, RekeyResult, Target
from strongroom.barrier.seal_rows import RECOVERY_KEY, RecoveryConfig, encode_row
from strongroom.barrier.unsealing import open_barrier
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import InvalidRequest, Sealed
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Full


@pytest.fixture(params=list(Target), ids=lambda target: target.value)
def vault(request: pytest.FixtureRequest, surroundings: Surroundings) -> Vault:
    return Vault(surroundings, request.param)


def test_a_new_root_key_leaves_seal_shares_and_records_as_they_are(vault: Vault) -> None:
    barrier = vault.lifecycle.unsealed()
    before = bytes(barrier.copy_root_key())
    write(barrier, "one", b"before")
    vault.lifecycle.keys.rotate_root_key()
    vault.lifecycle.keys.rotate_root_key()
    assert barrier.copy_root_key() != before
    write(barrier, "two", b"after")
    barrier.rotate()
    assert vault.accepts(vault.shares)
    again = vault.lifecycle.unsealed()
    assert (read(again, "one"), read(again, "two")) == (b"before", b"after")


def test_the_former_root_key_opens_nothing_any_more(vault: Vault) -> None:
    former = vault.lifecycle.unsealed().copy_root_key()
    vault.lifecycle.keys.rotate_root_key()
    with pytest.raises(Damaged):
        Barrier.load(vault.surroundings, former)


def test_a_rekey_of_unseal_shares_draws_a_new_root_key(surroundings: Surroundings) -> None:
    vault = Vault(surroundings, Target.UNSEAL)
    former = bytes(vault.lifecycle.unsealed().copy_root_key())
    vault.rekey.start(TWO_OF_THREE)
    vault.finish(vault.shares)
    assert vault.lifecycle.unsealed().copy_root_key() != former


def test_a_root_key_that_cannot_be_stored_changes_nothing(
    vault: Vault, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Full("no space")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", refuse)
        with pytest.raises(Full):
            vault.lifecycle.keys.rotate_root_key()
    write(vault.lifecycle.unsealed(), "one", b"goes on")
    vault.lifecycle.keys.rotate_root_key()
    assert vault.accepts(vault.shares)


def test_others_that_are_always_faster_are_told(
    vault: Vault, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtake(*_: object, **__: object) -> None:
        raise Conflict("another was faster")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", overtake)
        with pytest.raises(InvalidRequest, match="changed meanwhile"):
            vault.lifecycle.keys.rotate_root_key()
    assert vault.accepts(vault.shares)


def test_a_sealed_vault_has_no_root_key_to_change(vault: Vault) -> None:
    vault.lifecycle.seal()
    with pytest.raises(Sealed):
        vault.lifecycle.keys.rotate_root_key()


def test_a_process_that_was_handed_the_root_key_does_not_change_it(vault: Vault) -> None:
    sibling = vault.start()
    sibling.adopt(vault.lifecycle.unsealed().copy_root_key())
    with pytest.raises(InvalidRequest, match="did not open the vault"):
        sibling.keys.rotate_root_key()


class Follower:
    """Another process on the same store, told as a server tells it."""

    def __init__(self, surroundings: Surroundings, barrier: Barrier) -> None:
        self.barrier = open_barrier(surroundings, barrier.copy_root_key())
        self.settles = True

    def root_key_coming(self, root_key: bytearray) -> None:
        self.barrier.expect_root_key(bytearray(root_key))

    def root_key_settled(self) -> None:
        if self.settles:
            self.barrier.settle_root_key()


@pytest.mark.parametrize("settles", [True, False])
def test_other_processes_go_on_reading_and_writing(surroundings: Surroundings, settles: bool) -> None:  # noqa: FBT001 -- a parameter
    vault = Vault(surroundings, Target.UNSEAL)
    leader = vault.lifecycle.unsealed()
    follower = Follower(surroundings, leader)
    follower.settles = settles
    vault.lifecycle.keys.followers = follower
    write(follower.barrier, "one", b"before")
    # So many that the other process has to reserve numbers anew, under whichever root key.
    for number in range(3):
        vault.lifecycle.keys.rotate_root_key()
        follower.barrier._invocations.start_at(0, 0)
        write(follower.barrier, f"many/{number}", b"after")
        write(leader, f"mine/{number}", b"after")
    if not settles:
        follower.barrier.settle_root_key()
    leader.rotate()
    write(leader, "two", b"newest")
    assert read(follower.barrier, "two") == b"newest"
    follower.barrier.rotate()
    write(follower.barrier, "three", b"newer still")
    assert read(leader, "three") == b"newer still"
    assert follower.barrier.copy_root_key() == leader.copy_root_key()


@pytest.mark.parametrize("settles", [True, False])
def test_every_keyring_is_sealed_anew_with_the_root_key_and_followed(surroundings: Surroundings, settles: bool) -> None:  # noqa: FBT001 -- a parameter
    vault = Vault(surroundings, Target.UNSEAL)
    leader = vault.lifecycle.unsealed()
    assign(leader, (1, ("one",)), (2, ("two",)))
    follower = Follower(surroundings, leader)
    follower.settles = settles
    vault.lifecycle.keys.followers = follower
    write(follower.barrier, ONE, b"1")
    vault.lifecycle.keys.rotate_root_key()
    assign(leader, (1, ("one",)), (2, ("two",)), (3, ("three",)))
    write(leader, "logical/three/a", b"3")
    leader.rotate(2)
    write(leader, TWO, b"2")
    assert [read(follower.barrier, key) for key in (ONE, TWO, "logical/three/a")] == [b"1", b"2", b"3"]
    write(follower.barrier, "logical/three/b", b"4")
    follower.barrier.rotate()
    write(follower.barrier, ONE, b"5")
    assert [read(leader, key) for key in ("logical/three/b", ONE)] == [b"4", b"5"]
    assert vault.accepts(vault.shares)
    again = vault.lifecycle.unsealed()
    assert [read(again, key) for key in (ONE, TWO, "logical/three/a", "logical/three/b")] == [b"5", b"2", b"3", b"4"]
    assert [again.key_status(number).term for number in range(4)] == [2, 2, 3, 2]


def test_a_keyring_that_comes_while_the_root_key_changes_is_not_left_under_the_former_one(
    surroundings: Surroundings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(surroundings, Target.UNSEAL)
    sibling = open_barrier(surroundings, vault.lifecycle.unsealed().copy_root_key())
    commit = store.commit

    def overtaken(expected: Mapping[str, int | None], *others: Any, **named: Any) -> None:
        monkeypatch.setattr(store, "commit", commit)
        assign(sibling, (1, ("one",)))
        write(sibling, ONE, b"1")
        commit(expected, *others, **named)

    monkeypatch.setattr(store, "commit", overtaken)
    vault.lifecycle.keys.rotate_root_key()
    assert vault.accepts(vault.shares)
    assert read(vault.lifecycle.unsealed(), ONE) == b"1"
    sibling.seal()


def test_a_root_key_that_never_came_is_forgotten(surroundings: Surroundings) -> None:
    vault = Vault(surroundings, Target.UNSEAL)
    barrier = vault.lifecycle.unsealed()
    coming = bytearray(b"k" * 32)
    barrier.expect_root_key(coming)
    barrier.settle_root_key()
    assert not any(coming)
    write(barrier, "one", b"goes on")


# While it is not certain that new shares reached their keepers


def test_after_a_crash_the_former_shares_count_and_then_they_alone(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    shares = new_shares(vault.finish(vault.shares))
    assert vault.accepts(vault.shares)
    assert not vault.accepts(shares)
    status = vault.lifecycle.status()
    assert (status.t, status.n) == (3, 5)
    assert vault.accepts(vault.shares)


def test_after_a_crash_the_new_shares_count_and_then_they_alone(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    shares = new_shares(vault.finish(vault.shares))
    assert vault.accepts(shares)
    assert not vault.accepts(vault.shares)
    assert vault.accepts(shares)


def test_once_the_answer_is_on_record_the_former_shares_do_not_count(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    result = vault.finish(vault.shares)
    assert result.settle is not None
    result.settle()
    assert not vault.accepts(vault.shares)
    assert vault.accepts(new_shares(result))


def test_shares_that_cannot_be_handed_out_are_taken_back(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    result = vault.finish(vault.shares)
    assert result.take_back is not None
    result.take_back()
    vault.lifecycle.keys.rotate_root_key()
    assert not vault.accepts(new_shares(result))
    assert vault.accepts(vault.shares)


def test_verified_shares_never_stand_beside_the_former_ones(vault: Vault) -> None:
    vault.rekey.start(VERIFIED)
    result = vault.finish(vault.shares)
    for share in new_shares(result)[:2]:
        vault.rekey.verify(share, result.verification_nonce)
    assert vault.lifecycle.rows_or_refuse().former is None
    assert not vault.accepts(vault.shares)


def test_nobody_decides_between_two_sets_while_the_answer_is_under_way(surroundings: Surroundings) -> None:
    vault = Vault(surroundings, Target.RECOVERY)
    vault.rekey.start(TWO_OF_THREE)
    result = vault.finish(vault.shares)
    attempt = Authorisation(vault.lifecycle)
    for share in vault.shares[: attempt.required - 1]:
        attempt.submit(share, attempt.nonce)
    with pytest.raises(InvalidRequest, match="invalid key"):
        attempt.submit(vault.shares[4], attempt.nonce)
    assert vault.accepts(new_shares(result))


def test_two_rekeys_in_a_row_leave_the_shares_of_the_second(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    first = vault.finish(vault.shares)
    assert first.settle is not None
    first.settle()
    nonce = vault.rekey.start(TWO_OF_THREE).nonce
    vault.rekey.update(new_shares(first)[0], nonce)
    second = vault.rekey.update(new_shares(first)[1], nonce)
    assert vault.accepts(new_shares(second))  # type: ignore[arg-type]  # the second share completes it
    assert not vault.accepts(new_shares(first))


def test_a_store_that_is_full_does_not_keep_a_vault_closed_with_two_sets_of_shares(
    surroundings: Surroundings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(surroundings, Target.UNSEAL)
    vault.rekey.start(TWO_OF_THREE)
    shares = new_shares(vault.finish(vault.shares))

    def refuse(*_: object, **__: object) -> None:
        raise Full("no space")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", refuse)
        assert vault.accepts(shares)
    assert vault.accepts(vault.shares)


def test_another_root_key_leaves_both_sets_while_the_answer_is_under_way(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    result = vault.finish(vault.shares)
    vault.lifecycle.keys.rotate_root_key()
    assert vault.accepts(vault.shares)
    assert not vault.accepts(new_shares(result))


def test_shares_can_be_taken_back_after_another_root_key(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    result = vault.finish(vault.shares)
    vault.lifecycle.keys.rotate_root_key()
    assert result.take_back is not None
    result.take_back()
    vault.lifecycle.keys.rotate_root_key()
    assert not vault.accepts(new_shares(result))
    assert vault.accepts(vault.shares)


def test_the_end_of_one_handover_does_not_end_the_next(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    first = vault.finish(vault.shares)
    nonce = vault.rekey.start(TWO_OF_THREE).nonce
    vault.rekey.update(new_shares(first)[0], nonce)
    second = vault.rekey.update(new_shares(first)[1], nonce)
    assert isinstance(second, RekeyResult)
    assert first.settle is not None
    assert first.take_back is not None
    first.settle()
    first.take_back()
    assert second.take_back is not None
    second.take_back()
    assert not vault.accepts(new_shares(second))
    assert vault.accepts(new_shares(first))


def test_what_a_full_store_could_not_be_told_counts_for_every_later_change(
    surroundings: Surroundings, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(surroundings, Target.UNSEAL)
    vault.rekey.start(RekeyConfig(shares=7, threshold=5))
    vault.finish(vault.shares)

    def refuse(*_: object, **__: object) -> None:
        raise Full("no space")

    vault.lifecycle.close()
    vault.lifecycle = vault.start()
    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", refuse)
        for share in vault.shares[:3]:
            status = vault.lifecycle.submit_unseal_share(share)
    assert (status.sealed, status.t, status.n) == (False, 3, 5)
    vault.rekey = Rekey(vault.lifecycle, Target.UNSEAL)
    assert vault.rekey.status().required == 3
    vault.lifecycle.keys.rotate_root_key()
    assert vault.accepts(vault.shares)
    assert (vault.lifecycle.status().t, vault.lifecycle.rows_or_refuse().former) == (3, None)


def test_recovery_shares_of_the_first_format_outlive_a_root_key(surroundings: Surroundings, store: MemoryStore) -> None:
    vault = Vault(surroundings, Target.RECOVERY)
    rows, barrier = vault.lifecycle.rows_or_refuse(), vault.lifecycle.unsealed()
    assert rows.recovery is not None
    # A row as the first format had it: its verifier's key comes from the root key.
    import hmac

    from strongroom.crypto.shamir import combine

    key = combine([bytes.fromhex(share) for share in vault.shares[:3]])
    verifier = hmac.digest(barrier.derive(b"strongroom recovery key verifier"), key, "sha256")
    old = RecoveryConfig(5, 3, verifier, format=1)
    store.commit(rows.versions, rows.put({RECOVERY_KEY: encode_row(old)}), (), barrier.witness)
    assert vault.accepts(vault.shares)
    for _ in range(2):
        vault.lifecycle.keys.rotate_root_key()
    assert vault.accepts(vault.shares)
    carried = vault.lifecycle.rows_or_refuse().recovery
    assert carried is not None
    assert (carried.format, bool(carried.key)) == (2, True)


def test_shares_of_an_unsealed_vault_are_wiped_with_it(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    unseal(lifecycle, shares)
    opener = lifecycle.keys.opener
    held = opener._key  # type: ignore[attr-defined]  # to see it wiped
    assert any(held)
    lifecycle.seal()
    assert not any(held)
    unseal(lifecycle, shares)
    assert first_record(lifecycle) == b"written at initialization"


def test_a_vault_that_is_opened_anew_takes_changes_again(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    for _ in range(2):
        unseal(lifecycle, shares)
        lifecycle.keys.rotate_root_key()
        lifecycle.seal()
    other = Lifecycle(surroundings)
    unseal(other, shares)
    assert first_record(other) == b"written at initialization"
