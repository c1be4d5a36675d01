"""A secret that is read again is not opened again; whatever changes about it is seen by the next read."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from tests.declarations.world import expect
from tests.engines.harness import MountedEngine
from tests.kit import Vault

from strongroom.crypto.aead import Damaged
from strongroom.engines.kv_v2 import KvV2
from strongroom.engines.kv_v2 import known as known_module
from strongroom.engines.kv_v2.known import SECRETS_MAX, VERSIONS_MAX, KnownSecret, KnownSecrets
from strongroom.engines.kv_v2.record import Metadata, Version
from strongroom.logical.errors import NotFound

KEY = bytes(range(32))


def metadata(versions: int = 1, **members: Any) -> Metadata:
    listed = [Version(number, number * 10**9) for number in range(1, versions + 1)]
    return Metadata(key=KEY, created_ns=1, updated_ns=1, current_version=versions, versions=listed, **members)


@pytest.fixture
def engine() -> MountedEngine:
    engine = MountedEngine(KvV2())
    engine.update("data/app", data={"password": "first"})
    return engine


def test_what_is_read_again_is_not_opened_again(engine: MountedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = engine.read("data/app")
    ciphers: list[object] = []
    monkeypatch.setattr(known_module, "cipher", ciphers.append)
    assert engine.read("data/app") == first
    assert not ciphers


def test_every_change_is_seen_by_the_next_read(engine: MountedEngine) -> None:
    assert engine.read("data/app")["data"] == {"password": "first"}
    engine.update("data/app", data={"password": "second"})
    assert engine.read("data/app")["data"] == {"password": "second"}
    assert engine.read("data/app", version="1")["data"] == {"password": "first"}
    engine.update("metadata/app", custom_metadata={"owner": "us"})
    assert engine.read("data/app")["metadata"]["custom_metadata"] == {"owner": "us"}
    engine.update("delete/app", versions=[2])
    with pytest.raises(NotFound):
        engine.read("data/app")
    engine.update("undelete/app", versions=[2])
    assert engine.read("data/app")["metadata"]["version"] == 2
    engine.update("destroy/app", versions=[2])
    with pytest.raises(NotFound):
        engine.read("data/app")
    with pytest.raises(NotFound):
        engine.read("subkeys/app")
    engine.delete("metadata/app")
    with pytest.raises(NotFound):
        engine.read("data/app", version="1")


def test_a_secret_that_was_removed_and_made_again_opens_with_its_new_key(engine: MountedEngine) -> None:
    engine.read("data/app")
    engine.delete("metadata/app")
    engine.update("data/app", data={"password": "another"})
    assert engine.read("data/app")["data"] == {"password": "another"}
    assert engine.read("data/app")["metadata"]["version"] == 1


def test_a_version_whose_time_has_come_is_gone_although_nothing_was_written(engine: MountedEngine) -> None:
    engine.update("metadata/app", delete_version_after="1h")
    engine.update("data/app", data={"password": "short-lived"})
    assert engine.read("data/app")["data"] == {"password": "short-lived"}
    engine.clock.jump(3601)
    with pytest.raises(NotFound):
        engine.read("data/app")


def test_whoever_changes_an_answer_changes_no_other(engine: MountedEngine) -> None:
    engine.read("data/app")["metadata"].clear()
    assert engine.read("data/app")["metadata"]["version"] == 1


def test_a_body_that_was_exchanged_is_damaged_for_a_known_secret_too(engine: MountedEngine) -> None:
    engine.read("data/app")
    engine.update("data/other", data={"password": "not for you"})
    engine.storage.records["versions/app/1"] = engine.storage.records["versions/other/1"]
    with pytest.raises(Damaged):
        engine.read("data/app")


def test_two_mounts_of_one_engine_know_their_own_secrets() -> None:
    vault = Vault()
    for path in ("one", "two"):
        vault.mount(path, options={"version": "2"})
        expect(vault.post(f"{path}/data/app", {"data": {"password": path}}))
    for path in ("one", "two", "one"):
        assert (expect(vault.get(f"{path}/data/app")).body or {})["data"]["data"] == {"password": path}


def test_it_keeps_no_data_key_and_nothing_that_is_not_committed_or_large() -> None:
    known = KnownSecrets()
    secret = KnownSecret.of(metadata())
    assert secret.metadata.key == b""
    assert secret.describe(secret.metadata.versions[0]) == metadata().describe_version(Version(1, 10**9))
    known.remember("mount", "a", -1, secret)
    known.remember("mount", "b", 7, KnownSecret.of(metadata(VERSIONS_MAX + 1)))
    known.remember("mount", "c", 7, KnownSecret.of(metadata(custom_metadata={"k": "v"})))
    assert [known.find("mount", path, 7) for path in "abc"] == [None, None, None]
    known.remember("mount", "a", 7, secret)
    assert known.find("mount", "a", 7) is secret
    assert known.find("mount", "a", 8) is None
    assert known.find("another", "a", 7) is None


def test_a_secret_without_versions_is_described_as_one() -> None:
    assert KnownSecret.of(metadata(0)).newest == {}


def test_it_never_grows_beyond_its_bound() -> None:
    known = KnownSecrets()
    secret = KnownSecret.of(metadata())
    for number in range(SECRETS_MAX + 1):
        known.remember("mount", str(number), 1, secret)
    assert known.find("mount", "0", 1) is None
    assert known.find("mount", str(SECRETS_MAX), 1) is secret


def test_a_secret_that_is_gone_is_forgotten_when_it_is_asked_for(engine: MountedEngine) -> None:
    others = count_known()
    engine.read("data/app")
    assert count_known() == others + 1
    engine.delete("metadata/app")
    with pytest.raises(NotFound):
        engine.read("data/app")
    assert count_known() == others


def test_a_seal_forgets_all_of_it() -> None:
    vault = Vault()
    vault.mount("secret", options={"version": "2"})
    expect(vault.post("secret/data/app", {"data": {"password": "x"}}))
    others = count_known()
    expect(vault.get("secret/data/app"))
    assert count_known() == others + 1
    expect(vault.post("sys/seal"))
    assert count_known() == others


def count_known() -> int:
    """How many secrets are known in this process."""
    gc.collect()
    return sum(type(one) is KnownSecret for one in gc.get_objects())
