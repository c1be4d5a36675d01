from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.engines.harness import START_NS, MountedEngine

from strongroom.encoding.json import decode_untrusted, encode
from strongroom.engines.kv_v1 import KvV1
from strongroom.engines.kv_v2 import KvV2, upgrade_from_v1
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation


def upgrade(mounted: MountedEngine) -> int:
    return upgrade_from_v1(mounted.storage, mounted.mount.uuid, mounted.clock, mounted.entropy, mounted.fingerprints)


def versioned(kv1: MountedEngine) -> MountedEngine:
    """The same mount, seen by the other engine."""
    return MountedEngine(
        KvV2(), storage=kv1.storage, clock=kv1.clock, entropy=kv1.entropy, fingerprints=kv1.fingerprints
    )


def test_every_secret_becomes_its_own_first_version(kv1: MountedEngine) -> None:
    kv1.update("app", user="u")
    kv1.update("app/db", password="p")
    kv1.update("config", max_versions=3)
    fingerprints = {path: list(values) for path, values in kv1.fingerprints.known.items()}

    assert upgrade(kv1) == 3

    kv2 = versioned(kv1)
    assert kv2.read("data/app")["data"] == {"user": "u"}
    assert kv2.read("data/config")["data"] == {"max_versions": 3}
    assert kv2.read("data/app/db")["metadata"] == {
        "created_time": rfc3339(START_NS),
        "custom_metadata": None,
        "deletion_time": "",
        "destroyed": False,
        "version": 1,
    }
    assert kv2.list("metadata") == ["app", "app/", "config"]
    assert kv2.fingerprints.known == fingerprints
    assert not any(key.startswith("v1/") for key in kv1.storage.records)


def test_an_upgrade_run_again_finds_nothing(kv1: MountedEngine) -> None:
    kv1.update("app", user="u")
    upgrade(kv1)
    records = dict(kv1.storage.records)

    assert upgrade(kv1) == 0
    assert kv1.storage.records == records


def test_an_empty_mount_upgrades_to_an_empty_mount(kv1: MountedEngine) -> None:
    assert upgrade(kv1) == 0
    assert kv1.storage.records == {}


def test_a_secret_that_has_versions_already_keeps_them(kv1: MountedEngine) -> None:
    kv2 = versioned(kv1)
    kv2.update("data/app", data={"n": 1})
    kv1.update("app", n=2)

    assert upgrade(kv1) == 1

    assert kv2.read("data/app", version=1)["data"] == {"n": 1}
    assert kv2.read("data/app", version=2)["data"] == {"n": 2}


leaves = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(leaves, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3))


@given(body=st.dictionaries(st.text(), values, min_size=1, max_size=4))
def test_any_json_object_survives_both_engines_and_the_upgrade(body: dict[str, Any]) -> None:
    kv1 = MountedEngine(KvV1())
    content = encode(body)
    kv1.call(Operation.UPDATE, "app", content)
    assert encode(kv1.read("app")) == encode(decode_untrusted(content))

    upgrade(kv1)

    assert encode(versioned(kv1).read("data/app")["data"]) == encode(decode_untrusted(content))
