"""A mount that is unmounted is gone at once, and what it held behind the requests, to the last row, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from tests.backup.origins import backup_of, examine
from tests.core.conftest import FaultyStore
from tests.environments.rings import findings, keyrings_below, settle, stored_keyrings
from tests.environments.world import write
from tests.kit import SeededEntropy, Vault
from tests.restore.sites import Site

from strongroom import failpoints
from strongroom.core import removal
from strongroom.core.batch import Alarms
from strongroom.core.removal import remove_unmounted
from strongroom.core.sweeper import Sweeper
from strongroom.mounts.table import REMOVING_AREA
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Record, Unavailable, Witness

SECRETS = 40
EPOCH_AND_MARKS = 6
"""So many rows an unmount changes at most: the mount, the epoch, its environment, and what is noted for later."""


class CountingStore(FaultyStore):
    """Knows how many rows the last commit changed."""

    changed = 0

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        super().commit(expected, puts, deletes, witness, is_urgent=is_urgent)
        self.changed = len(puts) + len(deletes)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.setattr(removal, "ROWS_MAX", 7)
    vault = Vault(store=CountingStore())
    vault.mount("gone", options={"version": "2"})
    vault.mount("other", options={"version": "2"})
    fill(vault, "gone")
    vault.post("other/data/app", {"data": {"k": "the other's"}})
    return vault


def fill(vault: Vault, mount: str, secrets: int = SECRETS) -> None:
    for number in range(secrets):
        assert vault.post(f"{mount}/data/app/{number}", {"data": {"k": f"value {number}"}}).status == 200
    body = {"custom_metadata": {"owner": "ada"}}
    assert vault.post(f"{mount}/metadata/app/0", body).status == 204


def uuid_of(vault: Vault, path: str) -> str:
    uuid: str = vault.get(f"sys/mounts/{path}").data["uuid"]
    return uuid


def keys_naming(vault: Vault, uuid: str) -> list[str]:
    """Every key of the store in which the mount is named."""
    with vault.store.snapshot() as snapshot:
        return [key for key in snapshot.keys("") if uuid in key]


def rows_of(vault: Vault, uuid: str) -> list[str]:
    return [key for key in keys_naming(vault, uuid) if key.startswith((f"root/logical/{uuid}/", f"root/auth/{uuid}/"))]


def step(vault: Vault) -> bool:
    return remove_unmounted(vault.node.require())


def sweeper(vault: Vault) -> Sweeper:
    return Sweeper(vault.node, Alarms(vault.failures.append, lambda: None), interval_seconds=0.001)


def another_worker(vault: Vault) -> Vault:
    """Another process with the same store, as after a crash or beside the first."""
    another = Vault(store=vault.store, clock=vault.clock, entropy=SeededEntropy("another"), is_unsealed=False)
    another.shares, another.root = vault.shares, vault.root
    another.unseal()
    return another


# The request


@pytest.mark.parametrize("secrets", [0, SECRETS])
def test_an_unmount_is_one_commit_of_a_few_rows_whatever_the_mount_holds(secrets: int) -> None:
    store = CountingStore()
    vault = Vault(store=store)
    vault.mount("kv", options={"version": "2"})
    if secrets:
        fill(vault, "kv", secrets)
    vault.mount("dev")
    write(vault, "development", rank=0, mounts=["kv", "dev"])
    commits = store.commits
    assert vault.delete("sys/mounts/kv").status == 204
    assert store.commits == commits + 1
    assert store.changed <= EPOCH_AND_MARKS + 3, "with an environment, also its keyrings"


def test_disabling_an_auth_method_leaves_its_own_rows_for_later(vault: Vault) -> None:
    vault.post("sys/auth/userpass", {"type": "userpass"})
    for number in range(20):
        assert vault.post(f"auth/userpass/users/u{number}", {"password": "a long password"}).status == 204
    uuid = vault.get("sys/auth/userpass").data["uuid"]
    assert vault.delete("sys/auth/userpass").status == 204
    assert isinstance(vault.store, CountingStore)
    assert vault.store.changed <= EPOCH_AND_MARKS
    assert len(rows_of(vault, uuid)) >= 20
    assert vault.post("auth/userpass/login/u1", {"password": "a long password"}, token=None).status == 403
    vault.post("sys/auth/userpass", {"type": "userpass"})
    assert vault.list("auth/userpass/users").status == 404
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []


def test_nothing_of_it_is_found_by_any_worker_from_the_next_request_on(vault: Vault) -> None:
    sibling = another_worker(vault)
    assert sibling.get("gone/data/app/1").status == 200
    token = vault.token_for("root")
    assert vault.delete("sys/mounts/gone").status == 204
    for worker in (sibling, vault):
        assert worker.get("gone/data/app/1", token=token).status == 404
        assert worker.list("gone/metadata/app").status == 404
        assert worker.post("gone/data/app/1", {"data": {"k": "late"}}).status == 404
        assert worker.post("sys/secrets/move", {"from": "gone/app/1", "to": "other/x"}).status in {403, 404}
        assert "gone/" not in worker.get("sys/mounts").data
        assert worker.get("other/data/app").data["data"] == {"k": "the other's"}


def test_a_mount_at_the_same_path_begins_empty_and_stays_as_it_is(vault: Vault) -> None:
    before = uuid_of(vault, "gone")
    vault.delete("sys/mounts/gone")
    vault.mount("gone", options={"version": "2"})
    assert vault.list("gone/metadata").status == 404
    assert vault.get("gone/data/app/1").status == 404
    assert vault.list("gone/metadata/?after=").status == 404
    vault.post("gone/data/app/1", {"data": {"k": "new"}})
    vault.post("sys/remount", {"from": "gone", "to": "moved"})
    while step(vault):
        assert vault.get("moved/data/app/1").data["data"] == {"k": "new"}
    assert rows_of(vault, before) == []
    assert vault.get("moved/data/app/1").data["metadata"]["version"] == 1


def test_a_write_that_was_under_way_loses(vault: Vault) -> None:
    uuid, faults = uuid_of(vault, "gone"), vault.store
    assert isinstance(faults, FaultyStore)

    def unmount() -> None:
        faults.before_commit = lambda: None
        assert vault.delete("sys/mounts/gone").status == 204
        while step(vault):
            pass

    faults.before_commit = unmount
    assert vault.post("gone/data/late", {"data": {"k": "late"}}).status == 404
    assert rows_of(vault, uuid) == []
    assert vault.get("sys/mounts/gone").status == 400


# The steps


def test_the_rows_go_a_few_at_a_time_and_those_of_others_stay(vault: Vault) -> None:
    uuid = uuid_of(vault, "gone")
    held = len(rows_of(vault, uuid))
    assert held >= 2 * SECRETS
    vault.delete("sys/mounts/gone")
    assert len(rows_of(vault, uuid)) == held
    left = [held]
    while step(vault):
        left.append(len(rows_of(vault, uuid)))
    assert [before - after for before, after in pairwise(left)][:-1] == [7] * (held // 7)
    assert left[-1] == 0
    assert vault.get("other/data/app").data["data"] == {"k": "the other's"}
    assert findings(vault) == []


def test_a_step_ends_early_where_rows_are_large(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BYTES_MAX", 1000)
    vault.mount("large")
    for number in range(4):
        vault.post(f"large/{number}", {"k": "x" * 900})
    uuid = uuid_of(vault, "large")
    vault.delete("sys/mounts/large")
    step(vault)
    assert len(rows_of(vault, uuid)) == 2


def test_a_round_of_the_sweeper_removes_all_that_names_the_mount(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.core.sweeper.FINGERPRINTS_PER_STEP", 5)
    write(vault, "development", rank=0, mounts=["gone"])
    assert vault.post("sys/overrides", {"path": "gone/app/1", "data": {"k": "mine"}}).status in {200, 204}
    uuid = uuid_of(vault, "gone")
    vault.delete("sys/mounts/gone")
    assert {"removing", "unmounted", "resealing", "override"} <= {key.split("/")[2] for key in keys_naming(vault, uuid)}
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []
    assert vault.failures == []


def test_an_unmount_wakes_the_sweeper_once_it_is_durable(vault: Vault) -> None:
    woken: list[int] = []
    vault.node.wake_sweeper = lambda: woken.append(vault.get("sys/mounts/gone").status)
    vault.delete("sys/mounts/nosuch")
    assert woken == []
    vault.delete("sys/mounts/gone")
    assert woken == [400]


# What may come in between


class Killed(BaseException):
    """Nothing after this is done by the process."""


@pytest.fixture
def armed() -> Iterator[Callable[[failpoints.Name], None]]:
    def die() -> None:
        raise Killed

    yield lambda name: failpoints.arm({name: die})
    failpoints._armed = None


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("point", ["removal_before_step", "removal_after_step"])
def test_killed_between_any_two_steps_the_next_process_goes_on_to_the_end(
    vault: Vault, armed: Callable[[failpoints.Name], None], point: failpoints.Name, steps: int
) -> None:
    uuid = uuid_of(vault, "gone")
    vault.delete("sys/mounts/gone")
    assert all(step(vault) for _ in range(steps))
    armed(point)
    with pytest.raises(Killed):
        step(vault)
    failpoints.arm({})
    next_one = another_worker(vault)
    assert next_one.get("gone/data/app/1").status == 404
    assert findings(next_one) == []
    sweeper(next_one).sweep()
    assert keys_naming(next_one, uuid) == []
    assert findings(next_one) == []


def test_a_seal_in_between_is_no_end(vault: Vault) -> None:
    uuid = uuid_of(vault, "gone")
    vault.delete("sys/mounts/gone")
    step(vault)
    vault.node.seal()
    assert sweeper(vault).sweep() == 0
    vault.unseal()
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []


def test_a_store_that_takes_no_writes_for_a_while_is_no_end(vault: Vault) -> None:
    uuid, faults = uuid_of(vault, "gone"), vault.store
    assert isinstance(faults, FaultyStore)
    vault.delete("sys/mounts/gone")
    faults.fail_once(Unavailable("no space is left"))
    with pytest.raises(Unavailable):
        sweeper(vault).sweep()
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []


def test_a_row_that_is_damaged_goes_like_any_other(vault: Vault) -> None:
    uuid = uuid_of(vault, "gone")
    damaged = rows_of(vault, uuid)[3]
    assert isinstance(vault.store, MemoryStore)
    record = vault.store._state.records[damaged]
    vault.store._state.records[damaged] = Record(record.version, record.value[:-1] + b"?")
    vault.delete("sys/mounts/gone")
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []


def test_what_is_mounted_is_not_removed_whatever_is_noted(vault: Vault) -> None:
    uuid = uuid_of(vault, "other")
    with vault.node.require().barrier.transaction() as transaction:
        transaction.put(REMOVING_AREA + uuid, b"")
        vault.node.require().barrier.commit(transaction)
    before = rows_of(vault, uuid)
    sweeper(vault).sweep()
    assert rows_of(vault, uuid) == before
    assert vault.get("other/data/app").data["data"] == {"k": "the other's"}
    assert not step(vault)


def test_a_backup_in_between_is_consistent(vault: Vault) -> None:
    uuid = uuid_of(vault, "gone")
    vault.delete("sys/mounts/gone")
    step(vault)
    content, _ = backup_of(vault)
    examined = examine(content, vault, REMOVING_AREA.removesuffix("/"))
    assert list(examined.kept) == [REMOVING_AREA + uuid], "whoever restores it goes on"


def test_a_restore_goes_on_to_remove_what_a_mount_held_that_was_unmounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "ROWS_MAX", 2)
    site, empty = Site(tmp_path / "one"), Site(tmp_path / "two")
    vault = site.found()
    vault.mount("gone")
    for number in range(5):
        assert vault.post(f"gone/{number}", {"value": "x"}).status == 204
    uuid = vault.get("sys/mounts/gone").data["uuid"]
    assert vault.delete("sys/mounts/gone").status == 204
    assert step(vault)
    file = site.save(vault)
    empty.shares, empty.root = site.shares, site.root
    assert empty.restore(file).exit_code == 0
    again = empty.unsealed()
    assert len(keys_naming(again, uuid)) > 3
    sweeper(again).sweep()
    assert keys_naming(again, uuid) == []
    assert findings(again) == []


# Environments


def test_an_environment_whose_mount_was_unmounted_is_not_in_use_and_its_keyring_goes(vault: Vault) -> None:
    write(vault, "production", rank=9, mounts=["gone"])
    settle(vault)
    vault.delete("sys/mounts/gone")
    shown = vault.get("sys/environments/production").data
    assert (shown["mounts"], shown["resealing"], shown["indexing"]) == ([], [], [])
    assert vault.delete("sys/environments/production").status == 204
    sweeper(vault).sweep()
    assert stored_keyrings(vault) == {0}
    assert findings(vault) == []


def test_no_row_of_a_mount_that_is_gone_comes_to_lie_under_a_keyring_that_stays(vault: Vault) -> None:
    write(vault, "production", rank=9, mounts=["gone"])
    settle(vault)
    uuid = uuid_of(vault, "gone")
    step(vault)
    vault.delete("sys/mounts/gone")
    vault.delete("sys/environments/production")
    assert set(keyrings_below(vault.store, f"logical/{uuid}/").values()) == {1}
    settle(vault)  # seals anew before anything is removed, which is the other way round
    assert keyrings_below(vault.store, f"logical/{uuid}/") == {}
    assert stored_keyrings(vault) == {0}
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []
    assert findings(vault) == []


def test_a_mount_that_is_gone_is_not_listed_for_the_guard_against_reuse(vault: Vault) -> None:
    write(vault, "development", rank=0, mounts=["other"])
    write(vault, "production", rank=9, mounts=["gone"])
    uuid = uuid_of(vault, "gone")
    assert [key for key in keys_naming(vault, uuid) if "reuse-pending" in key]
    vault.delete("sys/mounts/gone")
    sweeper(vault).sweep()
    assert keys_naming(vault, uuid) == []
    assert vault.post("other/data/new", {"data": {"k": "value 1"}}).status == 200


def test_its_values_are_not_told_to_be_in_use_while_their_fingerprints_are_still_there(vault: Vault) -> None:
    write(vault, "development", rank=0, mounts=["other"])
    write(vault, "production", rank=9, mounts=["gone"])
    sweeper(vault).sweep()
    assert vault.post("other/data/new", {"data": {"k": "value number 1"}}).status == 200
    vault.post("gone/data/long", {"data": {"k": "a value that is long"}})
    assert vault.post("other/data/new", {"data": {"k": "a value that is long"}}).status == 400
    vault.delete("sys/mounts/gone")
    assert vault.post("other/data/new", {"data": {"k": "a value that is long"}}).status == 200
