from __future__ import annotations

import pytest

from strongroom.barrier.authorisation import Authorisation
from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.initialization import InitConfig
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.rekey import Rekey, RekeyConfig, RekeyResult, RekeyStatus, Target, VerificationStatus
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.seals.static import StaticSeal
from strongroom.crypto.shamir import combine
from strongroom.logical.errors import InvalidRequest, Sealed
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Full, Record, Unavailable, Unknown

TWO_OF_THREE = RekeyConfig(shares=3, threshold=2)
VERIFIED = RekeyConfig(shares=3, threshold=2, require_verification=True)


class Vault:
    """An unsealed vault with its present shares: unseal shares, or recovery shares of a static seal."""

    def __init__(self, surroundings: Surroundings, target: Target) -> None:
        self.surroundings = surroundings
        self.target = target
        self.lifecycle = self.start()
        if target is Target.UNSEAL:
            result = self.lifecycle.initialize(InitConfig(secret_shares=5, secret_threshold=3), lambda _: None)
        else:
            result = self.lifecycle.initialize(InitConfig(recovery_shares=5, recovery_threshold=3), lambda _: None)
        self.shares = [share.reveal().hex() for share in (*result.shares, *result.recovery_shares)]
        self.unseal(self.shares)
        self.rekey = Rekey(self.lifecycle, target)

    def start(self) -> Lifecycle:
        seal = StaticSeal(bytearray(32), self.surroundings.entropy) if self.target is Target.RECOVERY else None
        return Lifecycle(self.surroundings, seal)

    def unseal(self, shares: list[str]) -> None:
        if self.target is Target.RECOVERY:
            self.lifecycle.unseal_automatically()
            return
        for share in shares[: self.lifecycle.status().t]:
            self.lifecycle.submit_unseal_share(share)

    def accepts(self, shares: list[str]) -> bool:
        """Whether ``shares`` are the ones in effect, seen by a server that was started anew."""
        self.lifecycle.close()
        self.lifecycle = self.start()
        try:
            self.unseal(shares)
            attempt = Authorisation(self.lifecycle)
            return any(attempt.submit(share, attempt.nonce) for share in shares[: attempt.required])
        except InvalidRequest:
            return False

    def finish(self, shares: list[str]) -> RekeyResult:
        nonce = self.rekey.status().nonce
        for share in shares[:2]:
            answer = self.rekey.update(share, nonce)
            assert isinstance(answer, RekeyStatus)
        result = self.rekey.update(shares[2], nonce)
        assert isinstance(result, RekeyResult)
        return result


@pytest.fixture(params=list(Target), ids=lambda target: target.value)
def vault(request: pytest.FixtureRequest, surroundings: Surroundings) -> Vault:
    return Vault(surroundings, request.param)


def new_shares(result: RekeyResult) -> list[str]:
    return [share.reveal().hex() for share in result.shares]


def test_new_shares_take_the_place_of_the_old_ones(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    result = vault.finish(vault.shares)
    shares = new_shares(result)
    assert (len(shares), result.verification_required, result.outcome_unknown) == (3, False, False)
    assert not vault.rekey.status().started
    assert vault.accepts(shares)
    assert not vault.accepts(vault.shares)
    status = vault.lifecycle.status()
    assert (status.t, status.n) == (2, 3)


def test_the_status_tells_each_step(vault: Vault) -> None:
    assert vault.rekey.status() == RekeyStatus(required=3)
    started = vault.rekey.start(TWO_OF_THREE)
    assert (started.started, started.t, started.n, started.progress, started.required) == (True, 2, 3, 0, 3)
    step = vault.rekey.update(vault.shares[0], started.nonce)
    assert isinstance(step, RekeyStatus)
    assert (step.progress, step.nonce) == (1, started.nonce)
    with pytest.raises(InvalidRequest, match="given key has already been provided"):
        vault.rekey.update(vault.shares[0], started.nonce)
    assert vault.rekey.status() == step


def test_only_one_rekey_at_a_time(vault: Vault) -> None:
    nonce = vault.rekey.start(TWO_OF_THREE).nonce
    with pytest.raises(InvalidRequest, match="already in progress"):
        vault.rekey.start(VERIFIED)
    assert vault.rekey.status().nonce == nonce


def test_a_cancelled_rekey_leaves_the_old_shares_in_effect(vault: Vault) -> None:
    nonce = vault.rekey.start(TWO_OF_THREE).nonce
    vault.rekey.update(vault.shares[0], nonce)
    vault.rekey.cancel()
    vault.rekey.cancel()
    assert not vault.rekey.status().started
    with pytest.raises(InvalidRequest, match="no rekey in progress"):
        vault.rekey.update(vault.shares[0], nonce)
    assert vault.rekey.start(TWO_OF_THREE).nonce != nonce
    assert vault.accepts(vault.shares)


def test_wrong_shares_begin_the_collecting_anew(vault: Vault) -> None:
    nonce = vault.rekey.start(TWO_OF_THREE).nonce
    wrong = "00" * 32 + vault.shares[2][-2:]
    with pytest.raises(InvalidRequest, match="invalid key"):
        vault.finish([*vault.shares[:2], wrong])
    status = vault.rekey.status()
    assert (status.progress, status.nonce, status.started) == (0, nonce, True)
    assert vault.accepts(new_shares(vault.finish(vault.shares)))


@pytest.mark.parametrize("nonce", ["", "another", "né"])
def test_a_share_for_another_operation_is_refused(vault: Vault, nonce: str) -> None:
    vault.rekey.start(TWO_OF_THREE)
    with pytest.raises(InvalidRequest, match="incorrect nonce"):
        vault.rekey.update(vault.shares[0], nonce)
    assert vault.rekey.status().progress == 0


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (RekeyConfig(shares=3, threshold=4), "threshold cannot be larger than shares"),
        (RekeyConfig(shares=0, threshold=0), "shares must be at least one"),
        (RekeyConfig(shares=1, threshold=1, pgp_keys=["!"]), "the PGP key is not base64"),
        (
            RekeyConfig(shares=2, threshold=2, pgp_keys=["a2V5"]),
            "incorrect number of PGP keys for rekey: 1 PGP keys for 2",
        ),
        (RekeyConfig(shares=1, threshold=1, backup=True), "cannot request a backup of the new keys without"),
    ],
    ids=["threshold", "shares", "pgp", "number of pgp keys", "backup"],
)
def test_an_impossible_configuration_is_refused(vault: Vault, config: RekeyConfig, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint):
        vault.rekey.start(config)
    assert not vault.rekey.status().started


def test_a_seal_has_only_the_shares_of_its_kind(vault: Vault) -> None:
    other = Target.RECOVERY if vault.target is Target.UNSEAL else Target.UNSEAL
    with pytest.raises(InvalidRequest, match=f"has no {other.value} keys"):
        Rekey(vault.lifecycle, other).start(TWO_OF_THREE)


def test_verified_shares_take_effect_only_after_they_came_back(vault: Vault) -> None:
    vault.rekey.start(VERIFIED)
    result = vault.finish(vault.shares)
    shares = new_shares(result)
    assert result.verification_required
    assert vault.rekey.status().verification_nonce == result.verification_nonce
    with pytest.raises(InvalidRequest, match="verify the new ones"):
        vault.rekey.update(vault.shares[0], result.nonce)
    step = vault.rekey.verify(shares[2], result.verification_nonce)
    with pytest.raises(InvalidRequest, match="given key has already been provided during this verify"):
        vault.rekey.verify(shares[2], result.verification_nonce)
    assert (step.progress, step.complete, step.t, step.n) == (1, False, 2, 3)
    assert vault.rekey.verification_status() == step
    done = vault.rekey.verify(shares[0], result.verification_nonce)
    assert done.complete
    assert vault.accepts(shares)
    assert not vault.accepts(vault.shares)


def test_unverified_shares_never_take_effect(vault: Vault) -> None:
    vault.rekey.start(VERIFIED)
    result = vault.finish(vault.shares)
    vault.rekey.verify(new_shares(result)[0], result.verification_nonce)
    vault.lifecycle.seal()
    vault.unseal(vault.shares)
    assert not vault.rekey.status().started
    assert not vault.accepts(new_shares(result))
    assert vault.accepts(vault.shares)


def test_other_shares_than_the_new_ones_do_not_verify(vault: Vault) -> None:
    vault.rekey.start(VERIFIED)
    result = vault.finish(vault.shares)
    shares = new_shares(result)
    vault.rekey.verify(vault.shares[0], result.verification_nonce)
    with pytest.raises(InvalidRequest, match="verification failed"):
        vault.rekey.verify(vault.shares[1], result.verification_nonce)
    assert vault.rekey.verification_status().progress == 0
    with pytest.raises(InvalidRequest, match="incorrect nonce"):
        vault.rekey.verify(shares[0], result.nonce)
    for share in shares[:2]:
        vault.rekey.verify(share, result.verification_nonce)
    assert vault.accepts(shares)


def test_a_verification_can_begin_again(vault: Vault) -> None:
    vault.rekey.start(VERIFIED)
    result = vault.finish(vault.shares)
    shares = new_shares(result)
    vault.rekey.verify(shares[0], result.verification_nonce)
    again = vault.rekey.restart_verification()
    assert (again.progress, again.nonce != result.verification_nonce) == (0, True)
    for share in shares[1:]:
        vault.rekey.verify(share, again.nonce)
    assert vault.accepts(shares)


def test_there_is_nothing_to_verify_before_the_new_shares_are_out(vault: Vault) -> None:
    with pytest.raises(InvalidRequest, match="no rekey in progress"):
        vault.rekey.verification_status()
    vault.rekey.start(VERIFIED)
    assert vault.rekey.verification_status() == VerificationStatus(nonce="", started=False, t=2, n=3, progress=0)
    with pytest.raises(InvalidRequest, match="no rekey verification in progress"):
        vault.rekey.verify(vault.shares[0], "")


def test_two_rekeys_that_overlap_leave_one_of_their_sets_in_effect(vault: Vault) -> None:
    other = Rekey(vault.lifecycle, vault.target)
    vault.rekey.start(TWO_OF_THREE)
    nonce = other.start(TWO_OF_THREE).nonce
    for share in vault.shares[:2]:
        other.update(share, nonce)
    shares = new_shares(vault.finish(vault.shares))
    with pytest.raises(InvalidRequest):
        other.update(vault.shares[2], nonce)
    assert vault.accepts(shares)


def test_a_sealed_vault_has_no_rekey(vault: Vault) -> None:
    vault.rekey.start(TWO_OF_THREE)
    vault.lifecycle.seal()
    for act in (vault.rekey.status, vault.rekey.cancel, lambda: vault.rekey.start(TWO_OF_THREE)):
        with pytest.raises(Sealed):
            act()
    with pytest.raises(Sealed):
        vault.rekey.update(vault.shares[0], "")
    vault.unseal(vault.shares)
    assert not vault.rekey.status().started


def fail_with(store: MemoryStore, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def commit(*_: object) -> None:
        raise error

    monkeypatch.setattr(store, "commit", commit)


def test_new_shares_are_handed_out_even_if_nobody_knows_whether_they_are_in_effect(
    vault: Vault, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.rekey.start(TWO_OF_THREE)
    fail_with(store, Unknown("the disk failed"), monkeypatch)
    result = vault.finish(vault.shares)
    assert result.outcome_unknown
    assert len(result.shares) == 3


def test_a_store_that_refuses_leaves_the_old_shares_in_effect(
    vault: Vault, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.rekey.start(TWO_OF_THREE)
    with monkeypatch.context() as patched:
        fail_with(store, Full("no space"), patched)
        with pytest.raises(Full):
            vault.finish(vault.shares)
    assert vault.accepts(vault.shares)


def test_an_authorisation_needs_the_threshold_and_the_right_shares(vault: Vault) -> None:
    attempt = Authorisation(vault.lifecycle)
    assert [attempt.submit(share, attempt.nonce) for share in vault.shares[:3]] == [False, False, True]
    assert (attempt.progress, attempt.required) == (0, 3)
    attempt.submit(vault.shares[0], attempt.nonce)
    attempt.cancel()
    assert attempt.progress == 0


def test_two_new_shares_with_the_same_point_do_not_verify(vault: Vault) -> None:
    vault.rekey.start(VERIFIED)
    result = vault.finish(vault.shares)
    share = new_shares(result)[0]
    vault.rekey.verify(share, result.verification_nonce)
    with pytest.raises(InvalidRequest, match="verification failed"):
        vault.rekey.verify("00" * 32 + share[-2:], result.verification_nonce)


def test_a_rekey_that_was_overtaken_changes_nothing(
    vault: Vault, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.rekey.start(TWO_OF_THREE)
    with monkeypatch.context() as patched:
        fail_with(store, Conflict("another was faster"), patched)
        with pytest.raises(InvalidRequest, match="changed meanwhile"):
            vault.finish(vault.shares)
    assert vault.accepts(vault.shares)


def test_shares_that_open_another_root_key_prove_nothing(surroundings: Surroundings, store: MemoryStore) -> None:
    vault = Vault(surroundings, Target.UNSEAL)
    key = combine([bytes.fromhex(share) for share in vault.shares[:3]])
    foreign = ShamirSeal(key, surroundings.entropy).wrap(bytearray(32))
    store.commit({}, {"seal/root-key": Record(9, foreign)}, ())
    attempt = Authorisation(vault.lifecycle)
    for share in vault.shares[:2]:
        attempt.submit(share, attempt.nonce)
    with pytest.raises(InvalidRequest, match="invalid key"):
        attempt.submit(vault.shares[2], attempt.nonce)


def test_without_the_rows_of_the_seal_nothing_is_proven(vault: Vault, store: MemoryStore) -> None:
    store.commit({}, {}, ["seal/config"])
    with pytest.raises(Unavailable, match="does not hold it any more"):
        Authorisation(vault.lifecycle)
