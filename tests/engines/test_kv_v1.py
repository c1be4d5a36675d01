from __future__ import annotations

from typing import Any

import pytest
from tests.engines.harness import DEFAULT_LEASE_TTL, MountedEngine

from strongroom.encoding.json import decode_untrusted, encode
from strongroom.engines.entries import BODY_BYTES_MAX
from strongroom.logical.errors import InvalidRequest, NotFound, TooLarge, UnsupportedOperation
from strongroom.logical.operation import Operation


def test_a_secret_comes_back_as_it_was_written(kv1: MountedEngine) -> None:
    content = b'{"z":1,"a":{"b":[1,null,true,{"c":""}]},"big":123456789012345678901234567890,"f":1.10,"e":1E+400,"\xc3\xbc":null}'

    kv1.call(Operation.UPDATE, "app/db", content)

    assert encode(kv1.read("app/db")) == content


def test_a_write_answers_nothing(kv1: MountedEngine) -> None:
    assert kv1.update("app", user="u") is None


def test_a_write_replaces_the_whole_secret(kv1: MountedEngine) -> None:
    kv1.update("app", user="u", password="p")
    kv1.update("app", user="v")

    assert kv1.read("app") == {"user": "v"}


def test_a_body_may_use_the_name_of_the_captured_path(kv1: MountedEngine) -> None:
    kv1.update("app", path="elsewhere", body="x")

    assert kv1.read("app") == {"path": "elsewhere", "body": "x"}
    assert list(kv1.storage.records) == ["v1/app"]


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"a": "b"}, DEFAULT_LEASE_TTL),
        ({"ttl": "1h"}, 3600),
        ({"ttl": "3600"}, 3600),
        ({"ttl": 3600}, 3600),
        ({"ttl": "1.5h"}, 5400),
        ({"ttl": "1d"}, 86400),
        ({"ttl": 0}, 0),
        ({"ttl": ""}, 0),
        ({"lease": "2h"}, 7200),
        ({"lease": "2h", "ttl": "1h"}, 3600),
        ({"ttl": "soon"}, DEFAULT_LEASE_TTL),
        ({"ttl": None}, DEFAULT_LEASE_TTL),
        ({"ttl": True}, DEFAULT_LEASE_TTL),
        ({"ttl": {}}, DEFAULT_LEASE_TTL),
        ({"ttl": -5}, DEFAULT_LEASE_TTL),
        ({"ttl": 10**30}, DEFAULT_LEASE_TTL),
    ],
    ids=str,
)
def test_lease_duration_is_the_secrets_own_ttl_or_the_mounts(
    kv1: MountedEngine, body: dict[str, Any], seconds: int
) -> None:
    kv1.call(Operation.UPDATE, "app", body)

    response = kv1.call(Operation.READ, "app")

    assert response is not None
    assert response.lease_duration == seconds
    assert not response.renewable


def test_a_read_names_the_keys_that_leave(kv1: MountedEngine) -> None:
    kv1.update("app", user="u", password={"nested": 1})

    response = kv1.call(Operation.READ, "app")

    assert response is not None
    assert response.returned_keys == ("user", "password")


def test_a_write_without_keys_is_refused(kv1: MountedEngine) -> None:
    with pytest.raises(InvalidRequest, match=r"\Amissing data fields\Z"):
        kv1.update("app")
    assert kv1.storage.records == {}


@pytest.mark.parametrize("path", ["app", "app/", ""])
def test_a_secret_that_is_not_there_is_not_found(kv1: MountedEngine, path: str) -> None:
    kv1.update("app/below", a=1)

    with pytest.raises(NotFound) as caught:
        kv1.read(path)
    assert caught.value.messages == ()


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.DELETE])
@pytest.mark.parametrize("path", ["app/", ""])
def test_a_folder_cannot_be_written_or_deleted(kv1: MountedEngine, operation: Operation, path: str) -> None:
    kv1.update("app", a=1)
    before = dict(kv1.storage.records)

    with pytest.raises(InvalidRequest):
        kv1.call(operation, path, {"a": 2})
    assert kv1.storage.records == before


def test_partial_writes_are_unsupported(kv1: MountedEngine) -> None:
    kv1.update("app", a=1)

    with pytest.raises(UnsupportedOperation):
        kv1.patch("app", a=2)


def test_a_deleted_secret_is_gone_and_deleting_again_is_fine(kv1: MountedEngine) -> None:
    kv1.update("app", a=1)

    kv1.delete("app")
    kv1.delete("app")

    assert kv1.storage.records == {}
    with pytest.raises(NotFound):
        kv1.read("app")


def test_a_listing_shows_secrets_and_folders_in_order(kv1: MountedEngine) -> None:
    for path in ("l/b", "l/a/b", "l/a", "top"):
        kv1.update(path, x=1)

    assert kv1.list("") == ["l/", "top"]
    assert kv1.list("l") == ["a", "a/", "b"]
    assert kv1.list("l/") == ["a", "a/", "b"]
    assert kv1.list("l", after="a", limit=1) == ["a/"]
    assert kv1.list("l", after="a/", limit=0) == ["b"]
    assert kv1.list("l", limit="2") == ["a", "a/"]


@pytest.mark.parametrize("path", ["", "none", "l/a"])
def test_an_empty_listing_is_not_found(kv1: MountedEngine, path: str) -> None:
    if path:
        kv1.update("l/a", x=1)
    with pytest.raises(NotFound):
        kv1.list(path)


def test_creation_is_told_from_update(kv1: MountedEngine) -> None:
    assert not kv1.exists(Operation.UPDATE, "app")
    kv1.update("app", a=1)
    assert kv1.exists(Operation.UPDATE, "app")
    assert not kv1.exists(Operation.UPDATE, "app/")
    assert not kv1.exists(Operation.UPDATE, "")


def test_fingerprints_follow_the_secret_and_outlive_what_a_write_replaces(kv1: MountedEngine) -> None:
    kv1.update("app", a="one")
    assert kv1.fingerprints.known == {"app": [{"a": "one"}]}
    kv1.update("app", b="two")
    assert kv1.fingerprints.known == {"app": [{"a": "one"}, {"b": "two"}]}
    kv1.delete("app")
    assert kv1.fingerprints.known == {"app": [{"a": "one"}]}


def test_a_secret_of_one_mebibyte_fits_and_one_byte_more_does_not(kv1: MountedEngine) -> None:
    overhead = len(encode({"v": ""}))
    kv1.update("app", v="x" * (BODY_BYTES_MAX - overhead))

    with pytest.raises(TooLarge):
        kv1.update("app", v="y" * (BODY_BYTES_MAX - overhead + 1))

    assert kv1.read("app")["v"][0] == "x"


def test_numbers_keep_their_value_and_their_kind(kv1: MountedEngine) -> None:
    content = decode_untrusted(b'{"whole":1,"point":1.0,"max":18446744073709551616,"min":-9223372036854775809}')
    kv1.call(Operation.UPDATE, "app", content)

    assert encode(kv1.read("app")) == encode(content)
