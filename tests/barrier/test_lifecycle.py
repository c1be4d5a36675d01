from __future__ import annotations

import base64
import itertools
from collections.abc import Callable

import pytest
from tests.barrier.vaults import FIVE_THREE, first_record, initialized, populate, state_of, texts, unseal

from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.initialization import InitConfig
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.states import REFUSALS, TRANSITIONS, Event, State, require
from strongroom.barrier.transaction import Transaction
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import InvalidRequest, Sealed
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Full, Record, Unavailable


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_each_event_in_each_state_either_leads_on_or_is_refused_with_a_text(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert (state, event) not in REFUSALS
        assert require(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(InvalidRequest) as refused:
            require(state, event)
        assert refused.value.messages == (REFUSALS[state, event],)


def test_the_whole_life_of_a_vault(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    assert state_of(lifecycle) is State.UNINITIALIZED
    shares = texts(lifecycle.initialize(FIVE_THREE, populate))
    assert state_of(lifecycle) is State.SEALED
    assert lifecycle.barrier is None
    unseal(lifecycle, shares)
    assert state_of(lifecycle) is State.UNSEALED
    assert first_record(lifecycle) == b"written at initialization"
    lifecycle.seal()
    assert state_of(lifecycle) is State.SEALED
    with pytest.raises(Sealed):
        lifecycle.unsealed()
    unseal(lifecycle, shares[2:])
    assert first_record(lifecycle) == b"written at initialization"


def test_the_status_tells_each_step(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    status = lifecycle.status()
    assert (status.type, status.initialized, status.sealed, status.t, status.n) == ("shamir", False, True, 0, 0)
    shares = texts(lifecycle.initialize(FIVE_THREE, populate))
    status = lifecycle.status()
    assert (status.initialized, status.sealed, status.t, status.n, status.progress) == (True, True, 3, 5, 0)
    assert status.nonce == ""
    first = lifecycle.submit_unseal_share(shares[0])
    assert (first.progress, first.sealed, len(first.nonce)) == (1, True, 36)
    second = lifecycle.submit_unseal_share(shares[3])
    assert (second.progress, second.nonce) == (2, first.nonce)
    third = lifecycle.submit_unseal_share(shares[4])
    assert (third.progress, third.nonce, third.sealed) == (0, "", False)
    assert not third.recovery_seal


def test_any_threshold_of_the_shares_unseals(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    for chosen in itertools.combinations(shares, 3):
        unseal(lifecycle, list(chosen))
        assert first_record(lifecycle) is not None
        lifecycle.seal()


def test_shares_are_taken_as_base64_too(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    unseal(lifecycle, [base64.b64encode(bytes.fromhex(share)).decode() for share in shares])
    assert state_of(lifecycle) is State.UNSEALED


def test_the_same_share_twice_counts_once(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    for _ in range(5):
        assert lifecycle.submit_unseal_share(shares[0]).progress == 1
    assert lifecycle.submit_unseal_share(shares[0].upper()).progress == 1


def test_a_wrong_share_fails_the_unseal_and_begins_anew(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    wrong = bytearray.fromhex(shares[2])
    wrong[0] ^= 1
    with pytest.raises(InvalidRequest, match="Unseal failed, invalid key"):
        unseal(lifecycle, [*shares[:2], wrong.hex()])
    status = lifecycle.status()
    assert (status.sealed, status.progress, status.nonce) == (True, 0, "")
    unseal(lifecycle, shares)
    assert state_of(lifecycle) is State.UNSEALED


@pytest.mark.parametrize("ending", ["", "same point", "longer"])
def test_shares_that_cannot_belong_together_fail_the_unseal(surroundings: Surroundings, ending: str) -> None:
    lifecycle, shares = initialized(surroundings)
    last = {"": shares[2][:-2], "same point": "00" * 32 + shares[0][-2:], "longer": "00" * 20}[ending]
    with pytest.raises(InvalidRequest, match="Unseal failed, invalid key"):
        unseal(lifecycle, [*shares[:2], last])
    assert state_of(lifecycle) is State.SEALED


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'key' must be a valid hex or base64 string"),
        ("not a key", "'key' must be a valid hex or base64 string"),
        ("clé", "'key' must be a valid hex or base64 string"),
        ("\ud800", "'key' must be a valid hex or base64 string"),
        ("a" * 100_000, "'key' must be a valid hex or base64 string"),
        ("00" * 15, "key is shorter than minimum 16 bytes"),
        ("00" * 34, "key is longer than maximum 33 bytes"),
    ],
)
def test_a_text_that_is_no_share_is_refused_and_counts_for_nothing(
    surroundings: Surroundings, text: str, complaint: str
) -> None:
    lifecycle, _ = initialized(surroundings)
    with pytest.raises(InvalidRequest) as refused:
        lifecycle.submit_unseal_share(text)
    assert refused.value.messages == (complaint,)
    assert lifecycle.status().progress == 0


def test_a_reset_forgets_the_progress(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    before = lifecycle.submit_unseal_share(shares[0]).nonce
    assert lifecycle.reset_unseal().progress == 0
    after = lifecycle.submit_unseal_share(shares[1])
    assert (after.progress, after.nonce != before) == (1, True)


def test_a_share_for_an_unsealed_vault_changes_nothing(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    unseal(lifecycle, shares)
    barrier = lifecycle.barrier
    status = lifecycle.submit_unseal_share(shares[0])
    assert (status.sealed, status.progress) == (False, 0)
    assert lifecycle.barrier is barrier


def test_what_needs_an_initialized_vault_says_so(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    acts: list[Callable[[], object]] = [lambda: lifecycle.submit_unseal_share("00" * 33), lifecycle.seal]
    for act in acts:
        with pytest.raises(InvalidRequest, match="Vault is not initialized"):
            act()
    assert lifecycle.reset_unseal().progress == 0


def test_a_second_initialization_is_refused_and_changes_nothing(surroundings: Surroundings) -> None:
    first, shares = initialized(surroundings)
    second = Lifecycle(surroundings)
    for lifecycle in (first, second):
        with pytest.raises(InvalidRequest, match="Vault is already initialized"):
            lifecycle.initialize(FIVE_THREE, populate)
    unseal(second, shares)
    assert first_record(second) == b"written at initialization"


def test_of_two_servers_that_initialize_at_once_one_is_refused(surroundings: Surroundings) -> None:
    slow, fast = Lifecycle(surroundings), Lifecycle(surroundings)
    shares: list[str] = []

    def be_overtaken(_: Transaction) -> None:
        shares.extend(texts(fast.initialize(FIVE_THREE, populate)))

    with pytest.raises(InvalidRequest, match="Vault is already initialized"):
        slow.initialize(FIVE_THREE, be_overtaken)
    unseal(slow, shares)
    assert first_record(slow) == b"written at initialization"


@pytest.mark.parametrize(
    ("shares", "threshold", "complaint"),
    [
        (0, 0, "shares must be at least one"),
        (-1, 1, "shares must be at least one"),
        (5, 0, "threshold must be at least one"),
        (5, 1, "threshold must be greater than one for multiple shares"),
        (3, 4, "threshold cannot be larger than shares"),
        (256, 3, "shares must be less than 256"),
        (255, 256, "threshold must be less than 256"),
    ],
)
def test_impossible_numbers_of_shares_are_refused_and_nothing_is_stored(
    surroundings: Surroundings, store: MemoryStore, shares: int, threshold: int, complaint: str
) -> None:
    lifecycle = Lifecycle(surroundings)
    with pytest.raises(InvalidRequest) as refused:
        lifecycle.initialize(InitConfig(secret_shares=shares, secret_threshold=threshold), populate)
    assert refused.value.messages == (f"invalid seal configuration: {complaint}",)
    assert store.snapshot().keys("") == []


@pytest.mark.parametrize(("shares", "threshold"), [(1, 1), (2, 2), (255, 2), (30, 30)])
def test_the_extreme_numbers_of_shares_work(surroundings: Surroundings, shares: int, threshold: int) -> None:
    lifecycle = Lifecycle(surroundings)
    handed = texts(lifecycle.initialize(InitConfig(secret_shares=shares, secret_threshold=threshold), populate))
    assert len(set(handed)) == shares
    for share in handed[:threshold]:
        lifecycle.submit_unseal_share(share)
    assert first_record(lifecycle) is not None


def test_a_populate_that_fails_leaves_the_store_empty(surroundings: Surroundings, store: MemoryStore) -> None:
    def fail(transaction: Transaction) -> None:
        transaction.put("core/first", b"half done")
        raise KeyError

    lifecycle = Lifecycle(surroundings)
    with pytest.raises(KeyError):
        lifecycle.initialize(FIVE_THREE, fail)
    assert store.snapshot().keys("") == []
    assert state_of(lifecycle) is State.UNINITIALIZED


def test_a_store_that_fails_at_initialization_leaves_the_vault_uninitialized(surroundings: Surroundings) -> None:
    class FullStore(MemoryStore):
        def commit(self, *_: object, **__: object) -> None:
            raise Full("no space")

    lifecycle = Lifecycle(Surroundings(FullStore(), surroundings.clock, surroundings.entropy))
    with pytest.raises(Full):
        lifecycle.initialize(FIVE_THREE, populate)
    assert state_of(lifecycle) is State.UNINITIALIZED


def test_no_key_material_stands_in_the_store_in_clear(surroundings: Surroundings, store: MemoryStore) -> None:
    drawn: list[bytes] = []

    class Recording:
        def bytes(self, count: int) -> bytes:
            drawn.append(surroundings.entropy.bytes(count))
            return drawn[-1]

        def fill(self, buffer: bytearray) -> None:
            buffer[:] = self.bytes(len(buffer))

    lifecycle = Lifecycle(Surroundings(store, surroundings.clock, Recording(), surroundings.limits))
    shares = texts(lifecycle.initialize(FIVE_THREE, populate))
    with store.snapshot() as snapshot:
        stored = b"".join(record.value for key in snapshot.keys("") if (record := snapshot.get(key)))
    secrets = [key for key in drawn if len(key) == 32] + [bytes.fromhex(share) for share in shares]
    assert len(secrets) >= 8
    for secret in secrets:
        assert secret not in stored
        assert secret.hex().encode() not in stored
        assert base64.b64encode(secret) not in stored
    assert b"written at initialization" not in stored


def test_shares_do_not_show_in_a_repr(surroundings: Surroundings) -> None:
    lifecycle = Lifecycle(surroundings)
    result = lifecycle.initialize(FIVE_THREE, populate)
    for share in result.shares:
        assert share.reveal().hex() not in repr(result)
        assert repr(share) == "<secret>"


def test_sealing_overwrites_the_keys_and_tells_those_who_asked(surroundings: Surroundings) -> None:
    lifecycle, shares = initialized(surroundings)
    told: list[str] = []
    lifecycle.call_at_seal(lambda: told.append("sealed"))
    unseal(lifecycle, shares)
    barrier = lifecycle.unsealed()
    transaction = barrier.transaction()
    lifecycle.seal()
    assert told == ["sealed"]
    with pytest.raises(Sealed):
        transaction.get("core/first")
    for act in (barrier.transaction, barrier.rotate, barrier.key_status, barrier.copy_root_key):
        with pytest.raises(Sealed):
            act()


@pytest.mark.parametrize("row", ["seal/root-key", "barrier/keyring/0", "barrier/counter/0"])
@pytest.mark.parametrize("damage", ["changed", "cut", "empty", "gone", "replayed"])
def test_a_damaged_row_of_the_seal_or_the_keyring_keeps_the_vault_sealed(
    surroundings: Surroundings, store: MemoryStore, row: str, damage: str
) -> None:
    lifecycle, shares = initialized(surroundings)
    with store.snapshot() as snapshot:
        found = snapshot.get(row)
    assert found is not None
    changed = bytearray(found.value)
    changed[-1] ^= 1
    values = {"changed": bytes(changed), "cut": found.value[:-1], "empty": b"", "replayed": found.value}
    if damage == "gone":
        store.commit({}, {}, [row])
    else:
        version = found.version + (damage == "replayed" and row != "seal/root-key")
        if damage == "replayed" and row == "seal/root-key":
            values["replayed"] = values["changed"]
        store.commit({}, {row: Record(version, values[damage])}, ())
    with pytest.raises((InvalidRequest, Damaged)):
        unseal(lifecycle, shares)
    assert lifecycle.barrier is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"type":"shamir"}', b'{"type":"shamir","shares":5,"threshold":3,"format":2}', b"\xff"],
)
def test_an_unreadable_configuration_of_the_seal_stops_the_start(
    surroundings: Surroundings, store: MemoryStore, content: bytes
) -> None:
    initialized(surroundings)
    store.commit({}, {"seal/config": Record(2, content)}, ())
    with pytest.raises(Unavailable, match="damaged"):
        Lifecycle(surroundings)


def test_a_threshold_lowered_in_the_store_does_not_help_a_single_holder(
    surroundings: Surroundings, store: MemoryStore
) -> None:
    _, shares = initialized(surroundings)
    for threshold in (0, 1, 2):
        row = b'{"type":"shamir","shares":5,"threshold":%d,"format":1}' % threshold
        store.commit({}, {"seal/config": Record(2 + threshold, row)}, ())
        lifecycle = Lifecycle(surroundings)
        with pytest.raises(InvalidRequest):
            unseal(lifecycle, shares)
        assert lifecycle.barrier is None
