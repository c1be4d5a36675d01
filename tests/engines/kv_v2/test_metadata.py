from __future__ import annotations

from typing import Any

import pytest
from tests.engines.harness import START_NS, MountedEngine

from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation

START = rfc3339(START_NS)
LATER = rfc3339(START_NS + 60_000_000_000)
CANARY = "CANARY-7f3a"
FRESH = {
    "cas_required": False,
    "created_time": START,
    "current_metadata_version": 0,
    "current_version": 0,
    "custom_metadata": None,
    "delete_version_after": "0s",
    "max_versions": 0,
    "metadata_cas_required": False,
    "oldest_version": 0,
    "updated_time": START,
    "versions": {},
}


def test_metadata_shows_every_field(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.clock.jump(60)
    kv2.update("data/app", data={"n": 2})

    response = kv2.call(Operation.READ, "metadata/app")

    assert response is not None
    assert response.returned_keys == ()
    assert response.data == FRESH | {
        "current_version": 2,
        "updated_time": LATER,
        "versions": {
            "1": {"created_time": START, "deletion_time": "", "destroyed": False},
            "2": {"created_time": LATER, "deletion_time": "", "destroyed": False},
        },
    }


def test_settings_come_before_the_first_version(kv2: MountedEngine) -> None:
    answer = kv2.update(
        "metadata/app",
        max_versions=2,
        cas_required="true",
        delete_version_after="1h",
        custom_metadata={"owner": "team", "n": 5},
    )

    assert answer is None
    assert kv2.read("metadata/app") == FRESH | {
        "max_versions": 2,
        "cas_required": True,
        "delete_version_after": "1h0m0s",
        "custom_metadata": {"owner": "team", "n": "5"},
        "current_metadata_version": 1,
    }
    with pytest.raises(NotFound) as caught:
        kv2.read("data/app")
    assert caught.value.data is None


@pytest.mark.parametrize("body", [{}, {"metadata_cas": 4}, {"stray": 1}], ids=str)
def test_a_write_that_names_no_setting_does_nothing(kv2: MountedEngine, body: dict[str, Any]) -> None:
    assert kv2.call(Operation.UPDATE, "metadata/app", body) is None
    assert kv2.call(Operation.PATCH, "metadata/app", body) is None
    assert kv2.storage.records == {}


def test_what_is_left_out_stays_and_null_unsets(kv2: MountedEngine) -> None:
    kv2.update("metadata/app", max_versions=2, cas_required=True, delete_version_after="1h", custom_metadata={"a": "b"})
    kv2.clock.jump(60)

    kv2.update("metadata/app", custom_metadata={"c": "d"})
    assert kv2.read("metadata/app") == FRESH | {
        "max_versions": 2,
        "cas_required": True,
        "delete_version_after": "1h0m0s",
        "custom_metadata": {"c": "d"},
        "current_metadata_version": 2,
        "updated_time": LATER,
    }

    kv2.update("metadata/app", max_versions=None, cas_required=None, delete_version_after=None, custom_metadata=None)
    assert kv2.read("metadata/app") == FRESH | {"current_metadata_version": 3, "updated_time": LATER}


def test_a_patch_merges_custom_metadata(kv2: MountedEngine) -> None:
    kv2.update("metadata/app", custom_metadata={"a": "1", "b": "2"}, max_versions=4, delete_version_after="1h")

    kv2.patch("metadata/app", custom_metadata={"a": None, "c": "3", "gone": None}, max_versions=None)
    metadata = kv2.read("metadata/app")
    assert metadata["custom_metadata"] == {"b": "2", "c": "3"}
    assert metadata["max_versions"] == 0
    assert metadata["delete_version_after"] == "1h0m0s"

    kv2.patch("metadata/app", custom_metadata={})
    assert kv2.read("metadata/app")["custom_metadata"] == {"b": "2", "c": "3"}
    kv2.patch("metadata/app", custom_metadata=None, delete_version_after=None)
    metadata = kv2.read("metadata/app")
    assert metadata["custom_metadata"] is None
    assert metadata["delete_version_after"] == "0s"


def test_a_patch_of_nothing_is_not_found(kv2: MountedEngine) -> None:
    with pytest.raises(NotFound):
        kv2.patch("metadata/app", max_versions=3)
    assert kv2.storage.records == {}


def test_custom_metadata_stands_beside_the_data(kv2: MountedEngine) -> None:
    kv2.update("metadata/app", custom_metadata={"owner": "team"})

    answer = kv2.update("data/app", data={"n": 1})

    assert answer is not None
    assert answer["custom_metadata"] == {"owner": "team"}
    assert kv2.read("data/app")["metadata"]["custom_metadata"] == {"owner": "team"}
    assert kv2.read("metadata/app")["current_metadata_version"] == 1


@pytest.mark.parametrize(
    "custom",
    [
        CANARY,
        [CANARY],
        ["a=b"],
        {"a": {"b": CANARY}},
        {"a": [CANARY]},
        {"a": True},
        {"": CANARY},
        {"e": ""},
        {CANARY + "x" * 128: "v"},
        {CANARY + "é" * 60: "v"},
        {"k": CANARY + "x" * 512},
        {CANARY + "\x01": "v"},
        {"k": CANARY + "\n"},
        {CANARY + str(n): CANARY for n in range(65)},
    ],
    ids=range(14),
)
@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.PATCH])
def test_custom_metadata_beyond_the_limits_is_refused_and_never_quoted(
    kv2: MountedEngine, operation: Operation, custom: object
) -> None:
    kv2.update("metadata/app", max_versions=1)
    before = dict(kv2.storage.records)

    with pytest.raises(InvalidRequest) as caught:
        kv2.call(operation, "metadata/app", {"custom_metadata": custom, "max_versions": 2})

    assert CANARY not in str(caught.value)
    assert kv2.storage.records == before


def test_custom_metadata_up_to_the_limits_is_kept(kv2: MountedEngine) -> None:
    custom = {f"{n:0>128}": "v" * 512 for n in range(64)}

    kv2.update("metadata/app", custom_metadata=custom)
    with pytest.raises(InvalidRequest, match="at most 64 keys, provided 65"):
        kv2.patch("metadata/app", custom_metadata={"one": "more"})

    assert kv2.read("metadata/app")["custom_metadata"] == custom


@pytest.mark.parametrize("where", ["metadata/app", "config"])
@pytest.mark.parametrize(
    "body",
    [
        {"max_versions": -1},
        {"max_versions": 10_001},
        {"max_versions": 2**32},
        {"max_versions": CANARY},
        {"max_versions": 1.5},
        {"cas_required": CANARY},
        {"cas_required": 2},
        {"delete_version_after": CANARY},
        {"delete_version_after": True},
        {"delete_version_after": "1000000000h"},
        {"metadata_cas_required": CANARY},
    ],
    ids=str,
)
def test_settings_of_a_wrong_form_are_refused_and_never_quoted(
    kv2: MountedEngine, where: str, body: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        kv2.call(Operation.UPDATE, where, body)

    assert CANARY not in str(caught.value)
    assert kv2.storage.records == {}


@pytest.mark.parametrize("lifetime", [-1, "-1s", "-1h"])
def test_a_secrets_lifetime_cannot_be_negative(kv2: MountedEngine, lifetime: object) -> None:
    with pytest.raises(InvalidRequest, match="delete_version_after must not be negative"):
        kv2.update("metadata/app", delete_version_after=lifetime)


@pytest.mark.parametrize("where", ["config", "metadata/app"])
def test_check_and_set_of_metadata_can_be_required(kv2: MountedEngine, where: str) -> None:
    kv2.update(where, metadata_cas_required=True)
    current = 0 if where == "config" else 1

    with pytest.raises(InvalidRequest, match="metadata check-and-set parameter required for this call"):
        kv2.update("metadata/app", max_versions=1)
    kv2.update("metadata/app", max_versions=1, metadata_cas=current)
    with pytest.raises(InvalidRequest, match="metadata check-and-set parameter required for this call"):
        kv2.patch("metadata/app", max_versions=2)
    with pytest.raises(InvalidRequest, match="metadata check-and-set parameter does not match the current version"):
        kv2.patch("metadata/app", max_versions=2, metadata_cas=current)
    kv2.patch("metadata/app", max_versions=2, metadata_cas=str(current + 1))

    assert kv2.read("metadata/app")["current_metadata_version"] == current + 2


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.PATCH])
@pytest.mark.parametrize(("name", "cas"), [("cas_required", None), ("metadata_cas_required", 1)])
def test_a_setting_that_the_mount_overrules_is_pointed_out(
    kv2: MountedEngine, operation: Operation, name: str, cas: int | None
) -> None:
    kv2.update("metadata/app", max_versions=1)
    kv2.call(operation, "metadata/app", {name: False, "metadata_cas": cas})
    assert kv2.warnings == []
    kv2.update("config", **{name: True})

    kv2.call(operation, "metadata/app", {name: False, "metadata_cas": cas and cas + 1})

    assert kv2.warnings == [f'"{name}" set to false, but is mandated by backend config. This value will be ignored.']


def test_check_and_set_of_metadata_holds_where_it_is_not_required(kv2: MountedEngine) -> None:
    kv2.update("metadata/app", max_versions=1, metadata_cas=0)

    with pytest.raises(InvalidRequest):
        kv2.update("metadata/app", max_versions=2, metadata_cas=0)
    assert kv2.read("metadata/app")["max_versions"] == 1


def test_removing_metadata_removes_everything(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.update("data/app", data={"n": 2})
    kv2.update("data/app/below", data={"n": 3})
    kv2.update("destroy/app", versions=[1])

    kv2.delete("metadata/app")
    kv2.delete("metadata/app")

    assert sorted(kv2.storage.records) == ["metadata/app/below", "versions/app/below/1"]
    kv2.update("data/app", data={"n": 9}, options={"cas": 0})
    assert kv2.read("data/app")["metadata"]["version"] == 1


def test_a_body_from_an_old_copy_does_not_open_after_the_metadata_was_removed(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    old = kv2.storage.records["versions/app/1"]
    kv2.delete("metadata/app")
    kv2.update("data/app", data={"n": 2})

    kv2.storage.put("versions/app/1", old)

    with pytest.raises(Exception, match="damaged"):
        kv2.read("data/app")


def test_a_listing_shows_secrets_and_folders_in_order(kv2: MountedEngine) -> None:
    for path in ("l/b", "l/a/b", "l/a", "l/d", "top"):
        kv2.update(f"data/{path}", data={"n": 1})

    assert kv2.list("metadata") == ["l/", "top"]
    assert kv2.list("metadata/") == ["l/", "top"]
    assert kv2.list("metadata/l") == ["a", "a/", "b", "d"]
    assert kv2.list("metadata/l/") == ["a", "a/", "b", "d"]
    assert kv2.list("metadata/l", after="a", limit="2") == ["a/", "b"]
    assert kv2.list("metadata/l", after="aa", limit=-1) == ["b", "d"]
    assert kv2.list("metadata/l", limit=0) == ["a", "a/", "b", "d"]


@pytest.mark.parametrize("path", ["metadata", "metadata/none", "metadata/l/a", "detailed-metadata/none"])
def test_an_empty_listing_is_not_found(kv2: MountedEngine, path: str) -> None:
    if path != "metadata":
        kv2.update("data/l/a", data={"n": 1})

    with pytest.raises(NotFound):
        kv2.list(path)
    with pytest.raises(NotFound):
        kv2.list("metadata", after="zzz")


@pytest.mark.parametrize("query", [{"limit": "x"}, {"limit": 1.5}, {"after": ["a"]}], ids=str)
def test_a_listing_refuses_bad_pages(kv2: MountedEngine, query: dict[str, Any]) -> None:
    kv2.update("data/a", data={"n": 1})

    with pytest.raises(InvalidRequest):
        kv2.list("metadata", **query)


def test_a_deleted_secret_is_still_listed(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.delete("data/app")

    assert kv2.list("metadata") == ["app"]


def test_a_detailed_listing_shows_the_metadata_of_secrets(kv2: MountedEngine) -> None:
    kv2.update("data/l/a", data={"n": 1})
    kv2.update("data/l/a/b", data={"n": 1})

    answer = kv2.call(Operation.LIST, "detailed-metadata/l/")

    assert answer is not None
    assert answer.data == {"keys": ["a", "a/"], "key_info": {"a": kv2.read("metadata/l/a"), "a/": {}}}
    top = kv2.call(Operation.LIST, "detailed-metadata", {"limit": 1})
    assert top is not None
    assert top.data == {"keys": ["l/"], "key_info": {"l/": {}}}


def test_a_note_that_the_server_cannot_understand_is_stored_and_told(kv2: MountedEngine) -> None:
    kv2.update("metadata/app", custom_metadata={"expires_at": "in spring", "owner": "ana", "max_age": "90d"})
    (warning,) = kv2.warnings
    assert warning.startswith("'expires_at' was stored, but means nothing")
    assert kv2.read("metadata/app")["custom_metadata"]["expires_at"] == "in spring"
