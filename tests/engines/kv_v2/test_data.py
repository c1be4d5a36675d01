from __future__ import annotations

from typing import Any

import pytest
from tests.engines.harness import START_NS, MountedEngine

from strongroom.encoding.json import encode
from strongroom.engines.entries import BODY_BYTES_MAX
from strongroom.logical.errors import InvalidRequest, NotFound, TooLarge
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation

START = rfc3339(START_NS)
CANARY = "CANARY-7f3a"


def versions(kv2: MountedEngine, path: str) -> dict[str, Any]:
    found: dict[str, Any] = kv2.read(f"metadata/{path}")["versions"]
    return found


def test_a_write_answers_the_new_version(kv2: MountedEngine) -> None:
    answer = kv2.update("data/app/db", data={"user": "u"}, options={})

    assert answer == {
        "created_time": START,
        "custom_metadata": None,
        "deletion_time": "",
        "destroyed": False,
        "version": 1,
    }


def test_a_read_answers_the_newest_version(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.clock.jump(1.5)
    kv2.update("data/app", data={"n": 2})

    response = kv2.call(Operation.READ, "data/app")

    assert response is not None
    assert response.data == {
        "data": {"n": 2},
        "metadata": {
            "created_time": rfc3339(START_NS + 1_500_000_000),
            "custom_metadata": None,
            "deletion_time": "",
            "destroyed": False,
            "version": 2,
        },
    }
    assert response.returned_keys == ("n",)
    assert response.lease_duration == 0


def test_a_secret_comes_back_as_it_was_written(kv2: MountedEngine) -> None:
    content = b'{"z":1,"a":{"b":[1,null,true,{"c":""}]},"big":123456789012345678901234567890,"f":1.10,"e":1E+400,"\xc3\xbc":null,"":{}}'

    kv2.call(Operation.UPDATE, "data/app", b'{"data":' + content + b"}")

    assert encode(kv2.read("data/app")["data"]) == content


@pytest.mark.parametrize(
    ("version", "answered"),
    [(1, 1), ("2", 2), (3, 3), (0, 3), (-1, 3)],
    ids=["1", "text", "newest", "zero", "negative"],
)
def test_a_version_can_be_chosen(kv2: MountedEngine, version: object, answered: int) -> None:
    for number in (1, 2, 3):
        kv2.update("data/app", data={"n": number})

    answer = kv2.read("data/app", version=version)

    assert answer["data"] == {"n": answered}
    assert answer["metadata"]["version"] == answered


@pytest.mark.parametrize("version", ["x", "1.0", 1.5, True, [], {}], ids=str)
def test_a_version_that_is_no_number_is_refused(kv2: MountedEngine, version: object) -> None:
    kv2.update("data/app", data={"n": 1})

    with pytest.raises(InvalidRequest, match="'version' must be a whole number"):
        kv2.call(Operation.READ, "data/app", {"version": version})


@pytest.mark.parametrize("path", ["data/none", "data/app/", "data/app/below", "subkeys/none", "metadata/none"])
def test_a_secret_that_is_not_there_is_not_found(kv2: MountedEngine, path: str) -> None:
    kv2.update("data/app", data={"n": 1})

    with pytest.raises(NotFound) as caught:
        kv2.read(path)

    assert caught.value.messages == ()
    assert caught.value.data is None


@pytest.mark.parametrize("path", ["data/app", "subkeys/app"])
def test_a_version_that_never_was_is_not_found(kv2: MountedEngine, path: str) -> None:
    kv2.update("data/app", data={"n": 1})

    with pytest.raises(NotFound) as caught:
        kv2.read(path, version=2)
    assert caught.value.data is None


def test_an_empty_secret_is_a_secret(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={})

    assert kv2.read("data/app")["data"] == {}
    assert kv2.read("subkeys/app")["subkeys"] == {}


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.PATCH])
@pytest.mark.parametrize("body", [{}, {"data": None}, {"options": {"cas": 0}}], ids=str)
def test_a_write_without_data_is_refused(kv2: MountedEngine, operation: Operation, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"\Ano data provided\Z"):
        kv2.call(operation, "data/app", body)
    assert kv2.storage.records == {}


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.PATCH])
@pytest.mark.parametrize(
    "body",
    [
        {"data": CANARY},
        {"data": [CANARY]},
        {"data": 1},
        {"data": {"a": CANARY}, "options": CANARY},
        {"data": {"a": CANARY}, "options": [CANARY]},
        {"data": {"a": CANARY}, "options": {"cas": CANARY}},
        {"data": {"a": CANARY}, "options": {"cas": {"a": CANARY}}},
        {"data": {"a": CANARY}, "options": {"cas": True}},
        {"data": {"a": CANARY}, "options": {"cas": 9}},
        {"data": {"a": CANARY * 200_000}},
    ],
    ids=range(10),
)
def test_a_refused_write_changes_nothing_and_never_quotes_the_input(
    kv2: MountedEngine, operation: Operation, body: dict[str, Any]
) -> None:
    kv2.update("data/app", data={"a": CANARY})
    before = dict(kv2.storage.records)

    with pytest.raises(InvalidRequest) as caught:
        kv2.call(operation, "data/app", body)

    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)
    assert kv2.storage.records == before


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (Operation.UPDATE, "data/app/"),
        (Operation.PATCH, "data/app/"),
        (Operation.DELETE, "data/app/"),
        (Operation.UPDATE, "metadata/app/"),
        (Operation.PATCH, "metadata/app/"),
        (Operation.DELETE, "metadata/app/"),
        (Operation.UPDATE, "delete/app/"),
        (Operation.UPDATE, "undelete/app/"),
        (Operation.UPDATE, "destroy/app/"),
    ],
)
def test_a_folder_cannot_be_changed(kv2: MountedEngine, operation: Operation, path: str) -> None:
    kv2.update("data/app", data={"a": 1})
    before = dict(kv2.storage.records)

    with pytest.raises(InvalidRequest, match="cannot write to a path ending in '/'"):
        kv2.call(operation, path, {"data": {"a": 2}, "versions": [1]})
    assert kv2.storage.records == before


def test_check_and_set_zero_creates_only(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1}, options={"cas": 0})

    with pytest.raises(InvalidRequest, match=r"\Acheck-and-set parameter did not match the current version\Z"):
        kv2.update("data/app", data={"n": 2}, options={"cas": 0})
    assert kv2.read("data/app")["data"] == {"n": 1}


@pytest.mark.parametrize("cas", [1, "1"], ids=["number", "text"])
def test_check_and_set_follows_the_current_version(kv2: MountedEngine, cas: object) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.update("data/app", data={"n": 2}, options={"cas": cas})

    for stale in (-1, 0, 1, 3):
        with pytest.raises(InvalidRequest):
            kv2.update("data/app", data={"n": 3}, options={"cas": stale})
    assert kv2.read("data/app")["metadata"]["version"] == 2


@pytest.mark.parametrize("where", ["config", "metadata/app"])
def test_check_and_set_can_be_required(kv2: MountedEngine, where: str) -> None:
    kv2.update(where, cas_required=True)

    empty: list[dict[str, int] | None] = [{}, None]
    for options in empty:
        with pytest.raises(InvalidRequest, match=r"\Acheck-and-set parameter required for this call\Z"):
            kv2.update("data/app", data={"n": 1}, options=options)

    kv2.update("data/app", data={"n": 1}, options={"cas": 0})
    with pytest.raises(InvalidRequest, match="required"):
        kv2.patch("data/app", data={"n": 2})
    kv2.patch("data/app", data={"n": 2}, options={"cas": 1})


def test_an_unknown_option_is_pointed_out(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1}, options={"Cas": 4})

    assert len(kv2.warnings) == 1


def test_a_patch_follows_rfc_7396(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"a": 1, "b": {"c": 2, "d": [1]}, "e": None})

    kv2.patch("data/app", data={"a": None, "b": {"c": {"x": None, "y": 2}}, "n": {"m": None, "o": {"p": None}}})

    answer = kv2.read("data/app")
    assert answer["data"] == {"b": {"c": {"y": 2}, "d": [1]}, "e": None, "n": {"o": {}}}
    assert answer["metadata"]["version"] == 2
    assert kv2.read("data/app", version=1)["data"]["a"] == 1


def test_a_patch_of_nothing_is_not_found(kv2: MountedEngine) -> None:
    with pytest.raises(NotFound) as caught:
        kv2.patch("data/app", data={"n": 1})
    assert caught.value.data is None

    kv2.update("metadata/app", max_versions=3)
    with pytest.raises(NotFound) as caught:
        kv2.patch("data/app", data={"n": 1})
    assert caught.value.data is None


@pytest.mark.parametrize("how", ["deleted", "destroyed", "expired"])
def test_a_patch_needs_a_readable_version(kv2: MountedEngine, how: str) -> None:
    if how == "expired":
        kv2.update("config", delete_version_after="1h")
    kv2.update("data/app", data={"n": 1})
    if how == "deleted":
        kv2.delete("data/app")
    elif how == "destroyed":
        kv2.update("destroy/app", versions=[1])
    kv2.clock.jump(3600)

    with pytest.raises(NotFound) as caught:
        kv2.patch("data/app", data={"n": 2})

    assert caught.value.data is not None
    assert caught.value.data["version"] == 1
    assert kv2.read("metadata/app")["current_version"] == 1


def test_a_deleted_newest_version_is_not_found_with_its_metadata(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.update("data/app", data={"n": 2})
    kv2.clock.jump(10)
    kv2.delete("data/app")

    with pytest.raises(NotFound) as caught:
        kv2.read("data/app")

    assert caught.value.messages == ()
    assert caught.value.data == {
        "data": None,
        "metadata": {
            "created_time": START,
            "custom_metadata": None,
            "deletion_time": rfc3339(START_NS + 10_000_000_000),
            "destroyed": False,
            "version": 2,
        },
    }
    assert kv2.read("data/app", version=1)["data"] == {"n": 1}


def test_deleting_again_keeps_the_first_deletion_time(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.delete("data/app")
    kv2.clock.jump(10)

    kv2.delete("data/app")
    kv2.update("delete/app", versions=[1])

    assert versions(kv2, "app")["1"]["deletion_time"] == START


def test_deleting_what_is_not_there_leaves_no_trace(kv2: MountedEngine) -> None:
    kv2.delete("data/app")
    kv2.update("metadata/other", max_versions=1)
    before = dict(kv2.storage.records)
    kv2.delete("data/other")

    assert kv2.storage.records == before


def test_a_write_after_a_deletion_adds_a_version(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.delete("data/app")

    kv2.update("data/app", data={"n": 2}, options={"cas": 1})

    assert kv2.read("data/app")["data"] == {"n": 2}


def test_a_version_of_one_mebibyte_fits_and_one_byte_more_does_not(kv2: MountedEngine) -> None:
    overhead = len(encode({"v": ""}))
    kv2.update("data/app", data={"v": "x" * (BODY_BYTES_MAX - overhead)})
    before = dict(kv2.storage.records)

    with pytest.raises(TooLarge):
        kv2.update("data/app", data={"v": "x" * (BODY_BYTES_MAX - overhead + 1)})
    with pytest.raises(TooLarge):
        kv2.patch("data/app", data={"w": ""})
    assert kv2.storage.records == before


@pytest.mark.parametrize("path", ["data/app", "metadata/app"])
def test_creation_is_told_from_update(kv2: MountedEngine, path: str) -> None:
    assert not kv2.exists(Operation.UPDATE, path)
    kv2.update("data/app", data={"n": 1})
    kv2.delete("data/app")

    assert kv2.exists(Operation.UPDATE, path)
    assert not kv2.exists(Operation.UPDATE, path + "/")
    kv2.delete("metadata/app")
    assert not kv2.exists(Operation.UPDATE, path)


def test_no_value_is_stored_in_clear_inside_the_mount(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"password": CANARY})

    assert all(CANARY.encode() not in record for record in kv2.storage.records.values())


def test_a_version_moved_to_another_place_does_not_open(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.update("data/app", data={"n": 2})
    kv2.storage.put("versions/app/2", kv2.storage.records["versions/app/1"])

    with pytest.raises(Exception, match="damaged"):
        kv2.read("data/app")
    assert kv2.read("data/app", version=1)["data"] == {"n": 1}


def test_a_damaged_version_can_still_be_removed(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"n": 1})
    kv2.update("data/app", data={"n": 2})
    kv2.storage.put("versions/app/1", b"\x01" + bytes(40))
    kv2.storage.delete("versions/app/2")

    kv2.update("destroy/app", versions=[1])
    kv2.delete("metadata/app")

    assert kv2.storage.records == {}
