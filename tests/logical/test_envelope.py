from __future__ import annotations

import pytest

from strongroom.logical.envelope import envelope
from strongroom.logical.request import Auth, Response, TokenType, WrapInfo
from strongroom.logical.secret import Secret

KEYS = ["request_id", "lease_id", "renewable", "lease_duration", "data", "wrap_info", "warnings", "auth"]


def test_all_members_are_always_there_in_the_order_of_the_contract() -> None:
    assert list(envelope(Response(), "id")) == KEYS
    assert envelope(Response(), "id") == {
        "request_id": "id",
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": None,
        "wrap_info": None,
        "warnings": None,
        "auth": None,
    }


def test_data_warnings_and_durations_stand_where_clients_look() -> None:
    made = envelope(Response(data={"a": 1}, warnings=("w",), lease_duration=60, renewable=True), "id")
    assert (made["data"], made["warnings"], made["lease_duration"], made["renewable"]) == ({"a": 1}, ["w"], 60, True)


def test_a_wrapped_answer_carries_the_wrapping_token_and_no_request_id() -> None:
    info = WrapInfo(token=Secret("w"), accessor="a", ttl=60, creation_time_ns=0, creation_path="kv/config")
    made = envelope(Response(wrap_info=info), "id")
    assert made["request_id"] == ""
    assert made["wrap_info"] == {
        "token": "w",
        "accessor": "a",
        "ttl": 60,
        "creation_time": "1970-01-01T00:00:00.000000000Z",
        "creation_path": "kv/config",
    }


def test_a_wrapped_login_names_the_accessor_of_the_token_inside() -> None:
    info = WrapInfo(
        token=Secret("w"), accessor="a", ttl=1, creation_time_ns=0, creation_path="p", wrapped_accessor="inner"
    )
    assert envelope(Response(wrap_info=info), "")["wrap_info"]["wrapped_accessor"] == "inner"


def test_the_auth_part_has_every_member_of_the_contract() -> None:
    auth = Auth(
        policies=("a", "default"),
        metadata={"k": "v"},
        client_token=Secret("t"),
        accessor="acc",
        lease_duration=60,
        renewable=True,
        token_type=TokenType.SERVICE,
        orphan=False,
        num_uses=2,
    )
    assert envelope(Response(auth=auth), "id")["auth"] == {
        "client_token": "t",
        "accessor": "acc",
        "policies": ["a", "default"],
        "token_policies": ["a", "default"],
        "metadata": {"k": "v"},
        "lease_duration": 60,
        "renewable": True,
        "entity_id": "",
        "token_type": "service",
        "orphan": False,
        "mfa_requirement": None,
        "num_uses": 2,
    }


def test_an_auth_without_a_token_shows_an_empty_one_and_null_for_no_metadata() -> None:
    made = envelope(Response(auth=Auth()), "id")["auth"]
    assert (made["client_token"], made["metadata"], made["token_type"]) == ("", None, "service")


@pytest.mark.parametrize(
    "shown",
    [
        repr(Response(data={"password": "hunter2"})),
        repr(Auth(internal={"password": "hunter2"}, client_token=Secret("hunter2"))),
        repr(WrapInfo(token=Secret("hunter2"), accessor="", ttl=1, creation_time_ns=0, creation_path="")),
    ],
    ids=["response", "auth", "wrap"],
)
def test_no_answer_shows_a_value_in_its_repr(shown: str) -> None:
    assert "hunter2" not in shown
