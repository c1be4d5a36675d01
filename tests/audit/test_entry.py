from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest
from tests.audit.scene import ACCESSOR, AUTH_MOUNT, KEY, TOKEN, make_caller, make_facts, make_request

from strongroom.audit.entry import Formatter, sealed_record
from strongroom.audit.facts import Facts, SealedFacts
from strongroom.audit.hasher import Hasher, UnknownType
from strongroom.audit.options import Format
from strongroom.encoding.json import encode
from strongroom.logical.errors import AccessDenied, InvalidRequest, LogicalError, NotFound, PermissionDenied
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth, Connection, RawBody, Request, Response, SentHeaders, TokenType, WrapInfo
from strongroom.logical.secret import Secret

TIME = "2026-09-21T14:13:20.123456789Z"
CANARY = "CANARY-b3a1f7"


def hashed(text: str) -> str:
    return "hmac-sha256:" + hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


def formatter(form: Format | None = None) -> Formatter:
    return Formatter(Hasher(KEY), form or Format())


def request_record(facts: Facts, error: LogicalError | None = None, form: Format | None = None) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(formatter(form).request(facts, TIME, error) + b"}")
    return record


def response_record(
    facts: Facts, response: Response | None, error: BaseException | None = None, form: Format | None = None
) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(formatter(form).response(facts, TIME, response, error) + b"}")
    return record


def test_a_request_record_has_the_members_that_vault_gives_it() -> None:
    facts = make_facts(make_request(operation=Operation.UPDATE, body={"data": {"password": "hunter2"}}, wrap_ttl=60))
    facts.operation = "create"
    assert request_record(facts) == {
        "time": TIME,
        "type": "request",
        "auth": {
            "client_token": hashed(TOKEN),
            "accessor": hashed(ACCESSOR),
            "display_name": "token-app",
            "policies": ["default", "app"],
            "token_policies": ["default", "app"],
            "metadata": {"team": hashed("payments")},
            "entity_id": "entity-1",
            "token_type": "service",
            "policy_results": {
                "allowed": True,
                "granting_policies": [{"name": "app", "namespace_id": "root", "type": "acl"}],
            },
        },
        "request": {
            "id": "6b9f1a52-0000-4000-8000-000000000001",
            "operation": "create",
            "mount_point": "secret/",
            "mount_type": "kv",
            "mount_accessor": "kv_12ab34cd",
            "mount_class": "secret",
            "client_token": hashed(TOKEN),
            "client_token_accessor": hashed(ACCESSOR),
            "namespace": {"id": "root"},
            "path": "secret/data/app",
            "remote_address": "192.0.2.7",
            "remote_port": 40123,
            "data": {"data": {"password": hashed("hunter2")}},
            "wrap_ttl": 60,
        },
    }


def test_a_response_record_repeats_the_request_and_names_the_keys_that_leave() -> None:
    facts = make_facts()
    data = {"data": {"user": "ada", "password": "hunter2"}, "metadata": {"version": 3, "destroyed": False}}
    record = response_record(facts, Response(data=data, returned_keys=("user", "password"), warnings=("mind",)))
    request = request_record(facts)
    assert record["type"] == "response"
    assert record["auth"] == request["auth"]
    assert record["request"] == request["request"]
    assert record["response"] == {
        "mount_point": "secret/",
        "mount_type": "kv",
        "mount_accessor": "kv_12ab34cd",
        "mount_class": "secret",
        "warnings": ["mind"],
        "data": {
            "data": {"user": hashed("ada"), "password": hashed("hunter2")},
            "metadata": {"version": hashed("3"), "destroyed": hashed("false")},
        },
        "returned_keys": ["user", "password"],
    }
    assert "error" not in record


def test_a_record_is_the_same_bytes_in_every_release() -> None:
    # Frozen: whoever reads the log with a program relies on it.
    facts = make_facts(make_request(token=None, connection=Connection()), caller=None, mount=None, granting_policies=())
    line = formatter().response(facts, TIME, Response(data={"a": "1"}), None)
    assert line == (
        b'{"time":"2026-09-21T14:13:20.123456789Z","type":"response","auth":{"policy_results":{"allowed":true}},'
        b'"request":{"id":"6b9f1a52-0000-4000-8000-000000000001","operation":"read","namespace":{"id":"root"},'
        b'"path":"secret/data/app"},"response":{"data":{"a":"' + hashed("1").encode() + b'"},"returned_keys":["a"]}'
    )


def test_without_a_list_of_keys_the_top_level_names_are_taken() -> None:
    assert response_record(make_facts(), Response(data={"x": 1, "y": None}))["response"]["returned_keys"] == ["x", "y"]


def test_an_answer_without_data_names_no_keys() -> None:
    assert "returned_keys" not in response_record(make_facts(), None)["response"]


def test_a_denied_request_says_so_and_shows_no_granting_policy() -> None:
    record = request_record(make_facts(policies_allowed=False), AccessDenied())
    assert record["auth"]["policy_results"] == {"allowed": False}
    assert record["error"] == "1 error occurred:\n\t* permission denied\n\n"


def test_a_stranger_is_recorded_with_the_hash_of_what_he_showed() -> None:
    record = request_record(make_facts(caller=None, policies_allowed=False), PermissionDenied())
    assert record["auth"] == {"client_token": hashed(TOKEN), "policy_results": {"allowed": False}}
    assert "client_token_accessor" not in record["request"]


def test_a_login_is_recorded_under_the_name_it_made() -> None:
    auth = Auth(
        policies=("default",),
        display_name="userpass-ada",
        metadata={"username": "ada"},
        token_type=TokenType.BATCH,
        client_token=Secret("new-token"),
        accessor="new-accessor",
        lease_duration=3600,
        num_uses=5,
    )
    facts = make_facts(
        make_request(path="auth/userpass/login/ada", token=None, body={"password": CANARY}),
        caller=None,
        mount=AUTH_MOUNT,
        granting_policies=(),
    )
    record = response_record(facts, Response(auth=auth))
    made = {
        "client_token": hashed("new-token"),
        "accessor": hashed("new-accessor"),
        "display_name": "userpass-ada",
        "policies": ["default"],
        "token_policies": ["default"],
        "metadata": {"username": hashed("ada")},
        "num_uses": 5,
        "token_type": "batch",
        "token_ttl": 3600,
    }
    assert record["response"]["auth"] == made
    assert record["auth"] == made | {"policy_results": {"allowed": True}}
    assert record["request"]["mount_class"] == "auth"


def test_a_wrapping_token_is_hashed_and_its_facts_are_not() -> None:
    info = WrapInfo(
        token=Secret("wrapping-token"),
        accessor="wrap-accessor",
        ttl=60,
        creation_time_ns=1_790_000_000_123_456_789,
        creation_path="secret/data/app",
        wrapped_accessor="inner-accessor",
    )
    assert response_record(make_facts(), Response(wrap_info=info))["response"]["wrap_info"] == {
        "ttl": 60,
        "token": hashed("wrapping-token"),
        "accessor": hashed("wrap-accessor"),
        "creation_time": TIME,
        "creation_path": "secret/data/app",
        "wrapped_accessor": hashed("inner-accessor"),
    }


def test_an_answer_that_leaves_its_wrapping_is_hashed_value_by_value() -> None:
    envelope = encode({"data": {"password": "hunter2"}, "auth": {"client_token": "inner", "policies": ["default"]}})
    record = response_record(make_facts(), Response(wrapped_envelope=envelope))
    assert record["response"]["data"] == {"password": hashed("hunter2")}
    assert record["response"]["returned_keys"] == ["password"]
    assert record["response"]["auth"] == {"client_token": hashed("inner"), "policies": [hashed("default")]}


def test_a_body_that_is_not_json_is_hashed_whole() -> None:
    record = response_record(make_facts(), Response(raw=RawBody(content_type="text/plain", content=CANARY.encode())))
    assert record["response"]["data"]["http_raw_body"] == hashed(CANARY)


def test_data_that_comes_with_an_error_is_recorded_too() -> None:
    error = NotFound(data={"metadata": {"version": 2}})
    record = response_record(make_facts(), None, error)
    assert record["response"]["data"] == {"metadata": {"version": hashed("2")}}
    assert record["error"] == ""


def test_the_text_of_our_own_errors_is_shown() -> None:
    assert response_record(make_facts(), None, InvalidRequest("one", "two"))["error"] == "one\ntwo"


def test_the_text_of_any_other_error_is_not_shown() -> None:
    assert response_record(make_facts(), None, ValueError(CANARY))["error"] == "internal error"


@pytest.mark.parametrize(
    "value",
    [CANARY, CANARY.encode(), [CANARY], {"k": CANARY}, [[{"k": [CANARY]}]], Secret(CANARY), {"k": CANARY.encode()}],
    ids=lambda value: type(value).__name__,
)
def test_a_value_in_any_place_and_type_appears_nowhere(value: Any) -> None:
    facts = make_facts(
        make_request(
            body={"data": value, "unknown": value, "ttl": {"k": value}},
            token=Secret(CANARY),
            headers={"user-agent": CANARY},
            sent_headers=SentHeaders({"x-vault-token": CANARY, "user-agent": CANARY, "x-team": CANARY}),
        ),
        caller=make_caller(accessor=CANARY, metadata={"k": CANARY}),
        public_fields=frozenset({"ttl"}),
        audited_headers={"x-team": True},
    )
    response = Response(
        data={"data": value, "list": [value, value]},
        auth=Auth(client_token=Secret(CANARY), accessor=CANARY, metadata={"k": CANARY}, internal={"k": CANARY}),
        wrap_info=WrapInfo(token=Secret(CANARY), accessor=CANARY, ttl=1, creation_time_ns=0, creation_path="p"),
    )
    written = json.dumps([request_record(facts), response_record(facts, response, RuntimeError(CANARY))])
    assert CANARY not in written
    assert hashed(CANARY) in written


@pytest.mark.parametrize("number", [987654321987, Decimal("98765.4321987"), 98765.4321987, -987654321987])
def test_a_number_appears_nowhere(number: Any) -> None:
    facts = make_facts(make_request(body={"pin": number, "deep": [{"pin": number}]}))
    written = json.dumps([request_record(facts), response_record(facts, Response(data={"pin": number}))])
    assert str(number).lstrip("-") not in written


def test_what_cannot_be_hashed_makes_no_record() -> None:
    with pytest.raises(UnknownType):
        response_record(make_facts(), Response(data={"a": object()}))


def test_public_fields_and_the_mounts_own_exceptions_are_shown() -> None:
    facts = make_facts(
        make_request(body={"ttl": "1h", "note": "hello", "value": "x"}),
        public_fields=frozenset({"ttl"}),
        non_hmac_request_keys=frozenset({"note"}),
        non_hmac_response_keys=frozenset({"region"}),
    )
    record = response_record(facts, Response(data={"region": "eu", "ttl": "1h"}))
    assert record["request"]["data"] == {"ttl": "1h", "note": "hello", "value": hashed("x")}
    assert record["response"]["data"] == {"region": "eu", "ttl": hashed("1h")}


def test_only_headers_that_were_asked_for_are_recorded() -> None:
    facts = make_facts(
        make_request(sent_headers=SentHeaders({"x-team": "red", "x-trace": "abc", "x-vault-token": "t"})),
        audited_headers={"x-team": True, "x-trace": False, "x-other": False},
    )
    assert request_record(facts)["request"]["headers"] == {"x-team": [hashed("red")], "x-trace": ["abc"]}


def test_a_namespace_is_named() -> None:
    record = request_record(make_facts(make_request(namespace="team-a/")))
    assert record["request"]["namespace"] == {"id": "root", "path": "team-a/"}


def test_a_path_that_was_refused_is_shown_in_a_harmless_form() -> None:
    facts = make_facts(make_request(path="secret/../\n" + "x" * 5000), path_is_canonical=False)
    request = request_record(facts)["request"]
    assert request["path_refused"] is True
    assert request["path"].startswith("secret/../%0Ax")
    assert len(request["path"]) == 256


def test_a_record_cannot_be_broken_out_of() -> None:
    hostile = 'x","error":"forged"}\n{"type":"request"\u2028\x1b[2J'
    facts = make_facts(
        make_request(path=hostile, id=hostile, body={hostile: "v"}), caller=make_caller(display_name=hostile)
    )
    line = formatter().request(facts, TIME, InvalidRequest(hostile))
    assert line.decode("ascii").isprintable()
    record = json.loads(line + b"}")
    assert record["request"]["path"] == record["request"]["id"] == record["auth"]["display_name"] == hostile
    assert record["error"] == hostile


def test_raw_records_show_values_and_tokens() -> None:
    facts = make_facts(make_request(body={"a": CANARY, "big": 10**30, "exact": Decimal("1.50")}))
    line = formatter(Format(log_raw=True)).request(facts, TIME, None)
    record = json.loads(line + b"}")
    assert record["request"]["data"]["a"] == CANARY
    assert record["request"]["client_token"] == TOKEN
    assert record["auth"]["accessor"] == ACCESSOR
    assert b'"big":1000000000000000000000000000000,"exact":1.50' in line


def test_one_format_does_not_colour_another() -> None:
    # Both records of both formats come from the same facts, in both orders.
    facts = make_facts(make_request(body={"a": CANARY}))
    for form in (Format(log_raw=True), Format(), Format(log_raw=True), Format(hmac_accessor=False), Format()):
        written = json.dumps(request_record(facts, form=form))
        assert (CANARY in written) is form.log_raw
        assert (TOKEN in written) is form.log_raw
        assert (ACCESSOR in written) is (form.log_raw or not form.hmac_accessor)


def test_a_list_can_be_recorded_by_its_length() -> None:
    facts = make_facts(make_request(operation=Operation.LIST))
    response = Response(data={"keys": ["a", "b", "c"], "key_info": {"a": {}, "b": {}}})
    record = response_record(facts, response, form=Format(elide_list_responses=True))
    assert record["response"]["data"] == {"keys": 3, "key_info": 2}
    assert record["response"]["returned_keys"] == ["keys", "key_info"]


def test_a_caller_whose_policies_changed_is_described_anew() -> None:
    once = formatter()

    def policies(facts: Facts) -> Any:
        return json.loads(once.request(facts, TIME, None) + b"}")["auth"]["policies"]

    assert policies(make_facts()) == ["default", "app"]
    assert policies(make_facts(caller=make_caller(policies=("default",)))) == ["default"]


def test_a_decision_is_never_taken_from_an_earlier_request() -> None:
    once = formatter()

    def results(facts: Facts) -> Any:
        return json.loads(once.request(facts, TIME, None) + b"}")["auth"]["policy_results"]

    assert results(make_facts())["allowed"] is True
    assert results(make_facts(policies_allowed=False)) == {"allowed": False}
    assert results(make_facts(granting_policies=("other",)))["granting_policies"][0]["name"] == "other"


def test_many_callers_are_each_described_as_themselves() -> None:
    once = formatter()
    for number in range(2500):
        facts = make_facts(caller=make_caller(token_id=str(number % 1500), display_name=f"caller-{number % 1500}"))
        assert f'"display_name":"caller-{number % 1500}"'.encode() in once.request(facts, TIME, None)


def test_a_sealed_record_has_no_value_at_all() -> None:
    request = Request(
        id="r1",
        operation=Operation.UPDATE,
        path="sys/unseal",
        body={"key": CANARY},
        token=Secret(CANARY),
        headers={"x": CANARY},
        connection=Connection(remote_address="192.0.2.7", remote_port=1),
    )
    facts = SealedFacts(request=request, outcome="share accepted")
    line = sealed_record(facts, TIME, "response", InvalidRequest("wrong share"))
    assert CANARY.encode() not in line
    assert json.loads(line + b"}") == {
        "time": TIME,
        "type": "response",
        "auth": {},
        "request": {
            "id": "r1",
            "operation": "update",
            "namespace": {"id": "root"},
            "path": "sys/unseal",
            "remote_address": "192.0.2.7",
            "remote_port": 1,
        },
        "response": {"outcome": "share accepted"},
        "error": "wrong share",
    }
