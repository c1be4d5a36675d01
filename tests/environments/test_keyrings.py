"""Each environment has a keyring of its own, and what its mounts hold lies under it: now if it was written since, and in the end if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.backup.origins import backup_of, examine, root_key_of
from tests.environments.rings import findings, keyrings_below, settle, storage_of, stored_keyrings
from tests.environments.world import REASON, write
from tests.kit import Vault

from strongroom import failpoints
from strongroom.barrier.assignment import ASSIGNMENT_KEY, Assignment, decode_assignment, encode_assignment
from strongroom.barrier.keyrings import KEYRING_ID_MAX
from strongroom.barrier.restoration import take_over
from strongroom.barrier.transaction import Transaction
from strongroom.barrier.unsealing import open_barrier
from strongroom.core.batch import Alarms
from strongroom.core.resealing import Resealing
from strongroom.core.sweeper import Sweeper


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    for name in ("dev", "prod"):
        vault.mount(name)
    for number in range(5):
        vault.post(f"prod/{number}", {"k": f"value {number}"})
    return vault


def test_what_was_there_before_opens_at_once_and_is_sealed_anew_later(vault: Vault) -> None:
    assert write(vault, "production", rank=9, mounts=["prod"]).status == 204
    shown = vault.get("sys/environments/production").data
    assert (shown["keyring"]["id"], shown["keyring"]["term"], shown["resealing"]) == (1, 1, ["prod/"])
    prefix = storage_of(vault, "prod")
    assert set(keyrings_below(vault.store, prefix).values()) == {0}
    vault.post("prod/0", {"k": "anew"})
    assert sorted(keyrings_below(vault.store, prefix).values()).count(1) == 1
    Sweeper(vault.node, _alarms(vault)).sweep()
    assert set(keyrings_below(vault.store, prefix).values()) == {1}
    assert vault.get("sys/environments/production").data["resealing"] == []
    assert [vault.get(f"prod/{number}").data["k"] for number in range(2)] == ["anew", "value 1"]


def test_an_environment_that_is_deleted_with_its_mounts_takes_its_keys_with_it(vault: Vault) -> None:
    write(vault, "production", rank=9, mounts=["prod"])
    settle(vault)
    barrier = vault.node.require().barrier
    key = barrier._keys.keyrings.by_id[1].active.key
    with vault.store.snapshot() as snapshot:
        kept = snapshot.get(snapshot.keys(f"root/{storage_of(vault, 'prod')}")[0])
    assert vault.delete("sys/mounts/prod").status == 204
    assert vault.delete("sys/environments/production").status == 204
    assert stored_keyrings(vault) == {0, 1}
    settle(vault)
    assert (stored_keyrings(vault), any(key)) == ({0}, False)
    assert kept is not None
    assert not barrier._keys.require().knows_term_of(kept)
    write(vault, "production", rank=9)
    assert vault.get("sys/environments/production").data["keyring"]["id"] == 2
    assert findings(vault) == []


def test_overrides_of_a_mount_lie_under_its_keyring_and_go_with_it(vault: Vault) -> None:
    write(vault, "development", rank=0, mounts=["dev"])
    write(vault, "production", rank=9, mounts=["prod"])
    vault.post("dev/app", {"k": "of all"})
    body = {"path": "dev/app", "data": {"k": "mine"}}
    assert vault.post("sys/overrides", body).status in {200, 204}
    (keyring,) = keyrings_below(vault.store, "core/override/").values()
    assert keyring == vault.get("sys/environments/development").data["keyring"]["id"]
    vault.delete("sys/mounts/dev")
    settle(vault)
    assert keyrings_below(vault.store, "core/override/") == {}


def test_overrides_of_a_mount_that_had_left_its_environment_go_with_it_and_those_of_others_stay(vault: Vault) -> None:
    write(vault, "development", rank=0, mounts=["dev", "prod"])
    write(vault, "production", rank=9)
    for path in ("dev/app", "prod/0"):
        vault.post(path, {"k": "of all"})
        assert vault.post("sys/overrides", {"path": path, "data": {"k": "mine"}}).status in {200, 204}
    assert write(vault, "development", mounts=["prod"], downward=True).status == 204
    settle(vault)
    assert len(keyrings_below(vault.store, "core/override/")) == 2, "it may come back to an environment"
    assert vault.delete("sys/mounts/dev").status == 204
    settle(vault)
    assert list(keyrings_below(vault.store, "core/override/")) == [*left_of(vault, "prod")]


def test_overrides_that_an_older_server_left_behind_go_with_the_next_mount(vault: Vault) -> None:
    write(vault, "development", rank=0, mounts=["prod"])
    barrier = vault.node.require().barrier
    with barrier.transaction() as transaction:
        transaction.put(f"core/override/{'a' * 32}/{'0' * 32}/app", b"{}")
        barrier.commit(transaction)
    assert vault.delete("sys/mounts/dev").status == 204
    settle(vault)
    assert keyrings_below(vault.store, "core/override/") == {}


def left_of(vault: Vault, mount: str) -> list[str]:
    """The keys of the overrides over secrets of a mount."""
    uuid = storage_of(vault, mount).split("/")[1]
    return [key for key in keyrings_below(vault.store, "core/override/") if f"/{uuid}/" in key]


def test_a_protected_environment_wants_a_reason_for_a_rotation(vault: Vault) -> None:
    write(vault, "production", rank=9, protected=True)
    assert vault.post("sys/environments/production/rotate").status == 400
    answer = vault.post("sys/environments/PRODUCTION/rotate", headers=REASON)
    assert answer.data["keyring"]["term"] == 2
    assert vault.post("sys/environments/unknown/rotate").status == 404


def test_a_rotation_of_everything_is_one_of_each_environment(vault: Vault) -> None:
    write(vault, "production", rank=9)
    vault.post("sys/rotate")
    assert vault.get("sys/environments/production").data["keyring"]["term"] == 2
    assert vault.get("sys/key-status").data["term"] == 2


def test_environments_of_an_older_server_get_keyrings(vault: Vault) -> None:
    write(vault, "production", rank=9, mounts=["prod"])
    settle(vault)
    _as_an_older_server_left_it(vault)
    vault.node.seal()
    vault.unseal()
    assert vault.get("sys/environments/production").data["keyring"] is None
    assert vault.get("prod/1").data["k"] == "value 1"
    Sweeper(vault.node, _alarms(vault)).sweep()
    assert vault.get("sys/environments/production").data["keyring"]["id"] == 2
    assert set(keyrings_below(vault.store, storage_of(vault, "prod")).values()) == {2}
    assert vault.get("prod/1").data["k"] == "value 1"
    assert findings(vault) == []


def _as_an_older_server_left_it(vault: Vault) -> None:
    """The environment as it was stored before it had a keyring, and everything under the first one."""
    barrier = vault.node.require().barrier
    with barrier.transaction() as transaction:
        transaction.put(ASSIGNMENT_KEY, encode_assignment(Assignment(1, {1: ()})))
        for key in transaction.scan("logical/"):
            transaction.put(key, transaction.get(key) or b"")
        barrier.commit(transaction)
    with barrier.transaction() as transaction:
        content = transaction.get("core/environment/production") or b""
        transaction.put("core/environment/production", content.replace(b',"keyring":1', b""))
        transaction.put(ASSIGNMENT_KEY, encode_assignment(Assignment(1, {})))
        transaction.put("core/epoch", b"")
        barrier.commit(transaction)
    with barrier.transaction() as transaction:
        assert b"keyring" not in (transaction.get("core/environment/production") or b"keyring")


def test_when_no_id_is_left_no_environment_is_made_and_those_that_are_there_go_on(vault: Vault) -> None:
    barrier = vault.node.require().barrier
    with barrier.transaction() as transaction:
        transaction.put(ASSIGNMENT_KEY, encode_assignment(Assignment(KEYRING_ID_MAX - 1)))
        barrier.commit(transaction)
    assert write(vault, "production", rank=9, mounts=["prod"]).status == 204
    answer = write(vault, "development", rank=0)
    assert (answer.status, "no more environments" in str(answer.errors)) == (400, True)
    settle(vault)
    assert set(keyrings_below(vault.store, storage_of(vault, "prod")).values()) == {KEYRING_ID_MAX}
    assert vault.get("sys/environments/development").status == 404


class Killed(BaseException):
    """Nothing after this is done by the process."""


@pytest.fixture
def armed() -> Iterator[Callable[[failpoints.Name], None]]:
    def die() -> None:
        raise Killed

    yield lambda name: failpoints.arm({name: die})
    failpoints._armed = None


@pytest.mark.parametrize(
    ("point", "is_done"),
    [
        ("keyrings_before_change", False),
        ("keyrings_after_change", True),
        ("reseal_before_step", True),
        ("reseal_after_step", True),
    ],
)
def test_killed_at_any_step_of_a_move_everything_is_there_and_goes_on(
    vault: Vault,
    armed: Callable[[failpoints.Name], None],
    point: failpoints.Name,
    is_done: bool,  # noqa: FBT001 -- a parameter
) -> None:
    write(vault, "production", rank=9, mounts=["prod"])
    settle(vault)
    armed(point)

    def move() -> None:
        write(vault, "other", rank=3, mounts=["prod"], downward=True)
        settle(vault)

    with pytest.raises(Killed):
        move()
    failpoints.arm({})
    again = Vault(store=vault.store, clock=vault.clock, is_unsealed=False)
    again.shares, again.root = vault.shares, vault.root
    again.unseal()
    assert (again.get("sys/environments/other").status == 200) is is_done
    assert [again.get(f"prod/{number}").data["k"] for number in range(5)] == [f"value {n}" for n in range(5)]
    settle(again)
    owner = "other" if is_done else "production"
    keyring = again.get(f"sys/environments/{owner}").data["keyring"]["id"]
    assert set(keyrings_below(again.store, storage_of(again, "prod")).values()) == {keyring}
    assert [again.get(f"prod/{number}").data["k"] for number in range(5)] == [f"value {n}" for n in range(5)]
    assert findings(again) == []


@pytest.mark.parametrize("point", ["keyrings_before_change", "keyrings_after_change"])
def test_killed_at_the_destruction_of_a_keyring_nothing_else_is_lost(
    vault: Vault, armed: Callable[[failpoints.Name], None], point: failpoints.Name
) -> None:
    write(vault, "production", rank=9, mounts=["prod"])
    settle(vault)
    write(vault, "production", mounts=[], downward=True)
    vault.delete("sys/environments/production")
    armed(point)
    with pytest.raises(Killed):
        settle(vault)
    failpoints.arm({})
    again = Vault(store=vault.store, clock=vault.clock, is_unsealed=False)
    again.shares, again.root = vault.shares, vault.root
    again.unseal()
    settle(again)
    assert stored_keyrings(again) == {0}
    assert [again.get(f"prod/{number}").data["k"] for number in range(5)] == [f"value {n}" for n in range(5)]
    assert findings(again) == []


def test_a_destroyed_keyring_is_forgotten_by_the_other_processes_at_once(vault: Vault) -> None:
    write(vault, "production", rank=9)
    sibling = open_barrier(vault.node.lifecycle.surroundings, vault.node.require().barrier.copy_root_key())
    key = sibling._keys.keyrings.by_id[1].active.key

    class Siblings:
        """Told as a server tells its followers."""

        def root_key_settled(self) -> None:
            sibling.settle_root_key()

        def sealed(self) -> None:
            sibling.seal()

    vault.node.siblings = Siblings()  # type: ignore[assignment]  # as much of them as is asked here
    vault.delete("sys/environments/production")
    assert any(key)
    settle(vault)
    assert not any(key)
    vault.node.seal()


def test_rows_that_are_written_all_the_time_do_not_keep_a_mount_from_being_sealed_anew(vault: Vault) -> None:
    write(vault, "production", rank=9, mounts=["prod"])
    resealing, unsealed = Resealing(vault.node), vault.node.require()
    commit, count = unsealed.barrier.commit, 0

    def overtaken(transaction: Transaction, *, is_urgent: bool = False) -> None:
        nonlocal count
        count += 1
        unsealed.barrier.commit = commit  # type: ignore[method-assign]  # once each time
        if count < 12:
            vault.post(f"prod/{count % 5}", {"k": f"value {count % 5}"})
        try:
            commit(transaction, is_urgent=is_urgent)
        finally:
            unsealed.barrier.commit = overtaken  # type: ignore[method-assign]  # the next time again

    unsealed.barrier.commit = overtaken  # type: ignore[method-assign]  # somebody is always faster
    for _ in range(30):
        resealing.step(unsealed)
    assert not resealing.step(unsealed)
    assert set(keyrings_below(vault.store, storage_of(vault, "prod")).values()) == {1}
    assert [vault.get(f"prod/{number}").data["k"] for number in range(5)] == [f"value {n}" for n in range(5)]


def test_a_backup_of_a_vault_with_environments_is_consistent_and_a_restored_one_begins_new_terms(vault: Vault) -> None:
    write(vault, "production", rank=9, mounts=["prod"])
    content, _ = backup_of(vault)
    examined = examine(content, vault, "core/keyrings")
    assert decode_assignment(examined.kept["core/keyrings"]).ids == {1}
    root_key, surroundings = root_key_of(vault), vault.node.lifecycle.surroundings
    vault.node.seal()
    restored = take_over(surroundings, root_key)
    assert [restored.key_status(one).term for one in (0, 1)] == [2, 2]
    restored.seal()
    vault.unseal()
    assert vault.get("prod/1").data["k"] == "value 1"
    settle(vault)
    assert findings(vault) == []


def _alarms(vault: Vault) -> Alarms:
    return Alarms(vault.failures.append, lambda: None)
