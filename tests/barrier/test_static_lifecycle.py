from __future__ import annotations

import pytest
from tests.barrier.vaults import first_record, initialized, populate, texts

from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.initialization import InitConfig
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.seals.static import StaticSeal
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Unavailable


def static(entropy: Entropy, key: int = 7) -> StaticSeal:
    return StaticSeal(bytearray([key] * 32), entropy)


RECOVERY = InitConfig(recovery_shares=3, recovery_threshold=2)


def test_a_static_seal_unseals_by_itself_and_hands_out_recovery_shares(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings, static(surroundings.entropy))
    result = lifecycle.initialize(RECOVERY, populate)
    assert (len(result.shares), len(result.recovery_shares)) == (0, 3)
    restarted = Lifecycle(surroundings, static(surroundings.entropy))
    assert restarted.status().sealed
    status = restarted.unseal_automatically()
    assert (status.type, status.sealed, status.recovery_seal, status.t, status.n) == ("static", False, True, 2, 3)
    assert first_record(restarted) == b"written at initialization"
    assert not restarted.unseal_automatically().sealed


def test_a_static_seal_takes_no_unseal_shares(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings, static(surroundings.entropy))
    shares = texts(lifecycle.initialize(RECOVERY, populate))
    with pytest.raises(InvalidRequest, match="unseals by itself"):
        lifecycle.submit_unseal_share(shares[0])
    with pytest.raises(InvalidRequest, match="already initialized"):
        lifecycle.initialize(RECOVERY, populate)


def test_a_static_seal_with_another_key_does_not_unseal(surroundings: Surroundings) -> None:
    Lifecycle(surroundings, static(surroundings.entropy)).initialize(RECOVERY, populate)
    other = Lifecycle(surroundings, static(surroundings.entropy, key=8))
    with pytest.raises(Damaged):
        other.unseal_automatically()
    assert other.barrier is None


def test_numbers_that_do_not_belong_to_the_seal_are_refused(surroundings: Surroundings) -> None:
    both = InitConfig(secret_shares=5, secret_threshold=3, recovery_shares=5, recovery_threshold=3)
    with pytest.raises(InvalidRequest, match="recovery_shares,recovery_threshold not applicable to seal type shamir"):
        Lifecycle(surroundings).initialize(both, populate)
    with pytest.raises(InvalidRequest, match="secret_shares,secret_threshold not applicable to seal type static"):
        Lifecycle(surroundings, static(surroundings.entropy)).initialize(both, populate)


def test_another_type_of_seal_than_the_stored_one_stops_the_start(surroundings: Surroundings) -> None:
    lifecycle, _ = initialized(surroundings)
    with pytest.raises(InvalidRequest, match="needs unseal keys"):
        lifecycle.unseal_automatically()
    other = Surroundings(MemoryStore(), surroundings.clock, surroundings.entropy)
    Lifecycle(other, static(surroundings.entropy)).initialize(RECOVERY, populate)
    with pytest.raises(Unavailable, match=r"another type of seal.*disabled"):
        Lifecycle(other)


def test_closing_wipes_everything_in_every_state(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    lifecycle.submit_unseal_share(shares[0])
    lifecycle.close()
    assert lifecycle.status().progress == 0
    seal = static(surroundings.entropy)
    other = Lifecycle(Surroundings(MemoryStore(), surroundings.clock, surroundings.entropy), seal)
    blob = seal.wrap(bytearray(32))
    other.close()
    with pytest.raises(Damaged):
        seal.unwrap(blob)
