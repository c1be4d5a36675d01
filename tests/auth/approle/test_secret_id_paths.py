from __future__ import annotations

import json
from typing import Any

import pytest

from strongroom.logical.errors import InvalidRequest, LogicalError, NotFound
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation

LIMITED: dict[str, Any] = {"secret_id_ttl": 3600, "secret_id_num_uses": 5, "secret_id_bound_cidrs": "10.0.0.0/8"}


def test_a_secret_id_is_handed_out_with_the_limits_of_its_role(approle: Any) -> None:
    approle.write("role/r", **LIMITED)
    first, second = approle.write("role/r/secret-id"), approle.write("role/r/secret-id")
    assert first["secret_id"] != second["secret_id"]
    assert list(first) == ["secret_id", "secret_id_accessor", "secret_id_num_uses", "secret_id_ttl"]
    assert (first["secret_id_num_uses"], first["secret_id_ttl"]) == (5, 3600)


def test_a_secret_id_reads_back_by_value_and_by_accessor(approle: Any) -> None:
    approle.write("role/r")
    made = approle.write(
        "role/r/secret-id",
        metadata='{"a": "b"}',
        cidr_list="10.0.0.1/32",
        token_bound_cidrs="11.0.0.1",
        ttl="1m",
        num_uses=3,
    )
    by_value = approle.write("role/r/secret-id/lookup", secret_id=made["secret_id"])
    assert by_value == {
        "cidr_list": ["10.0.0.1/32"],
        "creation_time": rfc3339(approle.clock.ns),
        "expiration_time": rfc3339(approle.clock.ns + 60_000_000_000),
        "last_updated_time": rfc3339(approle.clock.ns),
        "metadata": {"a": "b"},
        "secret_id_accessor": made["secret_id_accessor"],
        "secret_id_num_uses": 3,
        "secret_id_ttl": 60,
        "token_bound_cidrs": ["11.0.0.1/32"],
    }
    accessor = made["secret_id_accessor"]
    assert approle.write("role/r/secret-id-accessor/lookup", secret_id_accessor=accessor) == by_value


def test_a_secret_id_without_an_end_reads_back_with_gos_zero_time(approle: Any) -> None:
    approle.write("role/r")
    made = approle.write("role/r/secret-id")
    entry = approle.write("role/r/secret-id/lookup", secret_id=made["secret_id"])
    assert (entry["expiration_time"], entry["secret_id_ttl"]) == ("0001-01-01T00:00:00Z", 0)


def test_a_secret_id_lives_no_longer_than_the_mount_allows(approle: Any) -> None:
    approle.write("role/r", secret_id_ttl="99999h")
    assert approle.write("role/r/secret-id")["secret_id_ttl"] == 2_764_800


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"a": "b"}, {"a": "b"}),
        ('{"a":"b","B":"two"}', {"a": "b", "B": "two"}),
        ("a=b,c=d", {"a": "b", "c": "d"}),
        ("", {}),
        ({}, {}),
        (None, {}),
        ({"scope": "a/b+*\n"}, {"scope": "a/b+*\n"}),
    ],
)
def test_metadata_is_taken_in_every_form_that_clients_use(approle: Any, sent: Any, kept: dict[str, str]) -> None:
    approle.write("role/r")
    made = approle.write("role/r/secret-id", metadata=sent)
    assert approle.write("role/r/secret-id/lookup", secret_id=made["secret_id"])["metadata"] == kept


@pytest.mark.parametrize(
    "sent",
    [
        "[1]",
        '{"a":1}',
        {"a": 1},
        {"a": None},
        {"a": {}},
        [1],
        7,
        True,
        "novalue",
        '{"a"',
        {"": "x"},
        '{"a":"b","a":"c"}',
    ],
)
def test_metadata_that_is_not_texts_by_name_is_refused(approle: Any, sent: Any) -> None:
    approle.write("role/r")
    before = approle.snapshot()
    with pytest.raises(InvalidRequest, match=r"metadata|JSON"):
        approle.write("role/r/secret-id", metadata=sent)
    assert approle.snapshot() == before


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"ttl": 7200}, "ttl cannot be longer than the role's secret_id_ttl"),
        ({"ttl": 0}, "ttl cannot be longer than the role's secret_id_ttl"),
        ({"ttl": -1}, "ttl cannot be negative"),
        ({"num_uses": 6}, "num_uses cannot be higher than the role's secret_id_num_uses"),
        ({"num_uses": 0}, "num_uses cannot be higher than the role's secret_id_num_uses"),
        ({"num_uses": -1}, "num_uses cannot be negative"),
        ({"cidr_list": "bad"}, "field 'cidr_list' must hold"),
        ({"cidr_list": "192.168.0.0/16"}, "field 'cidr_list' must lie within"),
        ({"token_bound_cidrs": "bad"}, "field 'token_bound_cidrs' must hold"),
        ({"token_bound_cidrs": "192.168.0.0/16"}, "field 'token_bound_cidrs' must lie within"),
    ],
)
def test_a_secret_id_cannot_be_good_for_more_than_its_role_allows(
    approle: Any, sent: dict[str, Any], text: str
) -> None:
    approle.write("role/r", token_bound_cidrs="10.0.0.0/8", **LIMITED)
    before = approle.snapshot()
    for path, extra in (("secret-id", {}), ("custom-secret-id", {"secret_id": "x"})):
        with pytest.raises(InvalidRequest, match=text):
            approle.write(f"role/r/{path}", **extra, **sent)
    assert approle.snapshot() == before


def test_a_secret_id_can_be_good_for_less_than_its_role_allows(approle: Any) -> None:
    approle.write("role/r", **LIMITED)
    made = approle.write("role/r/secret-id", ttl=60, num_uses=1, cidr_list="10.1.0.0/16")
    assert (made["secret_id_ttl"], made["secret_id_num_uses"]) == (60, 1)


def test_a_secret_id_of_ones_own_choice_can_be_registered_once(approle: Any) -> None:
    approle.write("role/r", secret_id_ttl=60)
    assert approle.write("role/r/custom-secret-id", secret_id="mine")["secret_id"] == "mine"
    with pytest.raises(InvalidRequest, match="already registered"):
        approle.write("role/r/custom-secret-id", secret_id="mine")
    approle.write("role/other")
    approle.write("role/other/custom-secret-id", secret_id="mine")
    approle.clock.jump(61)
    approle.write("role/r/custom-secret-id", secret_id="mine")
    assert len(approle.keys("role/r/secret-id")) == 1


@pytest.mark.parametrize(
    ("sent", "text"), [({}, "missing"), ({"secret_id": ""}, "missing"), ({"secret_id": "a\0"}, "NUL")]
)
@pytest.mark.parametrize("path", ["custom-secret-id", "secret-id/lookup", "secret-id/destroy"])
def test_a_secret_id_must_be_sent_where_one_is_meant(approle: Any, path: str, sent: dict[str, Any], text: str) -> None:
    approle.write("role/r")
    with pytest.raises(InvalidRequest, match=text):
        approle.write(f"role/r/{path}", **sent)


def test_a_role_without_secret_ids_hands_none_out(approle: Any) -> None:
    approle.write("role/r", bind_secret_id=False, token_bound_cidrs="10.0.0.0/8")
    with pytest.raises(InvalidRequest, match="bind_secret_id is not set on the role"):
        approle.write("role/r/secret-id")


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (Operation.UPDATE, "secret-id"),
        (Operation.LIST, "secret-id"),
        (Operation.UPDATE, "custom-secret-id"),
        (Operation.UPDATE, "secret-id/lookup"),
        (Operation.UPDATE, "secret-id/destroy"),
        (Operation.DELETE, "secret-id/destroy"),
        (Operation.UPDATE, "secret-id-accessor/lookup"),
        (Operation.UPDATE, "secret-id-accessor/destroy"),
        (Operation.DELETE, "secret-id-accessor/destroy"),
    ],
)
def test_a_missing_role_has_no_secret_ids(approle: Any, operation: Operation, path: str) -> None:
    body = {} if operation is Operation.LIST else {"secret_id": "x", "secret_id_accessor": "x"}
    with pytest.raises(NotFound, match="the role does not exist"):
        approle.call(operation, f"role/nope/{path}", body)
    assert approle.snapshot() == {}


def test_accessors_are_listed_in_order_and_in_parts(approle: Any) -> None:
    approle.write("role/r")
    with pytest.raises(NotFound) as caught:
        approle.keys("role/r/secret-id")
    assert caught.value.messages == ()
    made = sorted(approle.write("role/r/secret-id")["secret_id_accessor"] for _ in range(3))
    assert approle.keys("role/r/secret-id") == made
    assert approle.keys("role/r/secret-id", after=made[0], limit=1) == [made[1]]


def test_an_unknown_secret_id_is_good_for_nothing(approle: Any) -> None:
    approle.write("role/r")
    assert approle.call(Operation.UPDATE, "role/r/secret-id/lookup", {"secret_id": "x"}) is None
    approle.write("role/r/secret-id/destroy", secret_id="x")
    assert approle.call(Operation.UPDATE, "role/r/secret-id/lookup", {"secret_id": "x"}) is None


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.DELETE])
@pytest.mark.parametrize("by", ["secret_id", "secret_id_accessor"])
def test_a_secret_id_is_destroyed_by_value_or_by_accessor(approle: Any, operation: Operation, by: str) -> None:
    approle.write("role/r")
    approle.write("role/r/secret-id")
    made = approle.write("role/r/secret-id")
    path = "secret-id/destroy" if by == "secret_id" else "secret-id-accessor/destroy"
    assert approle.call(operation, f"role/r/{path}", {by: made[by]}) is None
    assert approle.call(Operation.UPDATE, "role/r/secret-id/lookup", {"secret_id": made["secret_id"]}) is None
    assert len(approle.keys("role/r/secret-id")) == 1


@pytest.mark.parametrize("path", ["lookup", "destroy"])
def test_an_accessor_of_another_role_is_not_found_and_nothing_happens(approle: Any, path: str) -> None:
    approle.write("role/a")
    approle.write("role/b")
    foreign = approle.write("role/b/secret-id")["secret_id_accessor"]
    before = approle.snapshot()
    answers = []
    for accessor in (foreign, "00000000-0000-4000-8000-000000000000", "zz", "../b", "a/b", "x" * 9999, "\ud800"):
        with pytest.raises(NotFound) as caught:
            approle.write(f"role/a/secret-id-accessor/{path}", secret_id_accessor=accessor)
        answers.append(caught.value.messages)
    assert len(set(answers)) == 1
    with pytest.raises(InvalidRequest, match="missing secret_id_accessor"):
        approle.write(f"role/a/secret-id-accessor/{path}")
    assert approle.snapshot() == before


def test_an_expired_secret_id_is_good_for_nothing_without_any_tidying(approle: Any) -> None:
    approle.write("role/r", secret_id_ttl=1)
    made = approle.write("role/r/secret-id")
    approle.clock.jump(0.999)
    assert approle.write("role/r/secret-id/lookup", secret_id=made["secret_id"])
    approle.clock.jump(0.001)
    assert approle.call(Operation.UPDATE, "role/r/secret-id/lookup", {"secret_id": made["secret_id"]}) is None
    with pytest.raises(NotFound):
        approle.write("role/r/secret-id-accessor/lookup", secret_id_accessor=made["secret_id_accessor"])


def test_the_storage_never_holds_a_secret_id_or_a_name_made_of_it(approle: Any) -> None:
    approle.write("role/r")
    random_one = approle.write("role/r/secret-id")["secret_id"]
    approle.write("role/r/custom-secret-id", secret_id="canary-value")
    approle.write("role/r/secret-id/destroy", secret_id="canary-other")
    stored = json.dumps({key: value.decode("latin-1") for key, value in approle.snapshot().items()})
    for value in (random_one, "canary"):
        assert value not in stored


def test_no_secret_id_stands_in_an_error(approle: Any) -> None:
    approle.write("role/r")
    approle.write("role/r/custom-secret-id", secret_id="canary-value")
    for path, body in (
        ("role/r/custom-secret-id", {"secret_id": "canary-value"}),
        ("role/r/custom-secret-id", {"secret_id": "canary\0"}),
        ("role/r/custom-secret-id", {"secret_id": ["canary"]}),
        ("login", {"role_id": "canary", "secret_id": "canary"}),
        ("login", {"role_id": {"canary": 1}}),
        ("role/r/secret-id-accessor/destroy", {"secret_id_accessor": "canary"}),
    ):
        with pytest.raises(LogicalError) as caught:
            approle.write(path, **body)
        assert "canary" not in repr(caught.value)
