"""The request's way, seen from outside: what is asked, what is answered, what is written down."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.conftest import CANARY, Scene
from tests.processes import Result

STATUS_AND_TEXT = {
    "stranger": (403, ["permission denied"]),
    "powerless": (403, ["1 error occurred:\n\t* permission denied\n\n"]),
}


def seen(result: Result) -> tuple[int, bytes, dict[str, str]]:
    """All that a client can see of an answer."""
    return result.status, result.raw, dict(result.headers)


@pytest.mark.parametrize("who", ["stranger", "powerless", "nonsense"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "LIST", "PATCH"])
def test_what_is_not_there_and_what_may_not_be_seen_are_the_same_answer(scene: Scene, who: str, method: str) -> None:
    """SECURITY row 10."""
    scene.mount("kv")
    scene.mount("kv2", "kv-v2")
    scene.post("kv/a", {"k": "v"})
    scene.post("sys/auth/userpass", {"type": "userpass"})
    scene.write_policy("powerless", 'path "elsewhere" { capabilities = ["read"] }')
    token = {
        "stranger": None,
        "powerless": scene.token_for("powerless", no_default_policy=True),
        "nonsense": "nonsense",
    }[who]
    body = {"k": "v"} if method in {"POST", "PUT", "PATCH"} else None
    paths = [
        "kv/a", "kv/nosuch", "nosuch/a", "kv2/data/a", "kv2/nosuch/a", "kv2/data", "nosuch", "kv", "sys/mounts", "sys/nosuch",
        "sys/policies/acl/default", "auth/userpass/users/alice", "auth/nosuch/users/alice", "auth/token/nosuch", "cubbyhole/a",
    ]  # fmt: skip
    answers = {path: seen(scene.call(method, path, body, token=token)) for path in paths}
    expected = STATUS_AND_TEXT["powerless" if who == "powerless" else "stranger"]
    for path, answer in answers.items():
        assert answer == answers["kv/a"], path
    result = scene.call(method, "nosuch/a", body, token=token)
    assert (result.status, result.errors) == expected


def test_help_shows_no_mount_that_the_token_may_not_see(scene: Scene) -> None:
    scene.mount("kv")
    scene.write_policy("powerless", 'path "elsewhere" { capabilities = ["read"] }')
    for token in (None, scene.token_for("powerless", no_default_policy=True)):
        assert seen(scene.get("kv/a?help=1", token=token)) == seen(scene.get("nosuch/a?help=1", token=token))


def test_who_may_is_told_what_is_not_there(scene: Scene) -> None:
    assert scene.get("nosuch/a").errors == ['no handler for route "nosuch/a". route entry not found.']
    unknown_path = scene.get("sys/nosuch")
    assert (unknown_path.status, unknown_path.errors) == (404, ["1 error occurred:\n\t* unsupported path\n\n"])
    unknown_operation = scene.delete("sys/mounts")
    assert (unknown_operation.status, unknown_operation.errors) == (
        405,
        ["1 error occurred:\n\t* unsupported operation\n\n"],
    )


def records(scene: Scene, path: str) -> list[dict[str, Any]]:
    return [record for record in scene.device.records if record["request"]["path"] == path]


@pytest.mark.parametrize(
    ("path", "body", "token", "error"),
    [
        ("probe/append", {}, "root", ""),
        ("probe/refuse", {}, "root", "no"),
        ("probe/explode", {}, "root", "internal error"),
        ("probe/append", {}, None, "permission denied"),
        ("probe/append", {}, "nosuch", "permission denied"),
        ("probe/append", {"key": [1]}, "root", "field 'key' must be a string"),
        ("probe/nosuch", {}, "root", "1 error occurred:\n\t* unsupported path\n\n"),
        ("nosuch/x", {}, "root", 'no handler for route "nosuch/x". route entry not found.'),
        ("auth/probe/login", {}, None, ""),
        ("auth/probe/fail-login", {}, None, "wrong"),
        ("sys/wrapping/unwrap", {"token": "nosuch"}, None, "wrapping token is not valid or does not exist"),
    ],
    ids=str,
)
def test_every_request_is_written_down_before_and_after_whatever_came_of_it(
    scene: Scene, path: str, body: dict[str, Any], token: str | None, error: str
) -> None:
    result = scene.post(path, body, token=token)
    request, response = records(scene, path)
    assert (request["type"], response["type"]) == ("request", "response")
    assert request["request"]["id"] == response["request"]["id"]
    assert result.errors == ([error] if error else [])
    assert bool(response.get("error")) is bool(error)


def test_a_mistake_of_ours_is_500_and_tells_nothing_and_changes_nothing(scene: Scene) -> None:
    result = scene.post("probe/explode", {"key": "k", "value": CANARY})
    assert (result.status, result.body) == (500, {"errors": ["internal error"]})
    assert CANARY not in scene.device.text
    assert scene.value("k") is None
    assert [type(failure) for failure in scene.failures] == [ValueError]


def test_a_failed_login_keeps_what_it_counted_and_makes_no_token(scene: Scene) -> None:
    accessors = scene.list("auth/token/accessors").data
    for expected in ("value", "valuevalue"):
        assert scene.post("auth/probe/fail-login", {}, token=None).status == 400
        read = scene.alone(scene.request("read", mount="auth/probe"))
        assert read.response is not None
        assert read.response.data == {"value": expected}
    assert scene.list("auth/token/accessors").data == accessors


def test_a_refusal_that_is_no_failed_login_keeps_nothing(scene: Scene) -> None:
    assert scene.post("probe/refuse", {}).status == 400
    assert scene.value() is None


def test_a_secrets_engine_cannot_log_anybody_in(scene: Scene) -> None:
    accessors = scene.list("auth/token/accessors").data
    assert scene.post("probe/login", {}, token=None).status == 400
    assert scene.list("auth/token/accessors").data == accessors


def test_a_write_with_a_warning_is_200_with_an_envelope_without_data(scene: Scene) -> None:
    result = scene.post("probe/warn", {})
    assert result.status == 200
    assert result.body is not None
    assert (result.body["data"], result.body["warnings"]) == (None, ["mind the gap"])


def test_names_that_no_field_takes_are_said_back_and_the_request_is_done(scene: Scene) -> None:
    result = scene.post("probe/write", {"key": "k", "valeu": "x", "another": 1})
    assert result.status == 200
    assert result.body is not None
    assert result.body["warnings"] == ["Endpoint ignored these unrecognized parameters: [another valeu]"]
    assert scene.value("k") == "value"


@pytest.mark.parametrize(
    "query", ["", "?limit=0", "?limit=-1", "?limit=9000000000", "?limit=010", "?limit=5", "?limit=1&limit=999"]
)
def test_a_list_is_never_longer_than_the_policy_allows(scene: Scene, query: str) -> None:
    """SECURITY row 11."""
    scene.mount("kv")
    for number in range(20):
        scene.post(f"kv/k{number:02}", {"k": "v"})
    scene.write_policy(
        "limited",
        'path "kv/*" { capabilities = ["list"]\n pagination_limit = 10 }\npath "probe/*" { capabilities = ["list"]\n pagination_limit = 10 }',
    )
    token = scene.token_for("limited")
    result = scene.call("GET", f"kv/{query}{'&' if query else '?'}list=true", token=token)
    assert result.status in (200, 400, 403)
    if result.status == 200:
        assert len(result.data["keys"]) <= 10
    listed = scene.list("probe/list", token=token)
    if listed.status == 200:
        assert set(listed.data["key_info"]) == set(listed.data["keys"])
        assert len(listed.data["keys"]) <= 10


def test_a_token_bound_to_networks_is_no_token_from_elsewhere(scene: Scene) -> None:
    scene.post("auth/token/roles/r", {"token_bound_cidrs": "10.0.0.0/8", "allowed_policies": "p"})
    scene.write_policy("p", 'path "probe/*" { capabilities = ["update"] }')
    token = scene.post("auth/token/create/r", {}).auth["client_token"]
    assert scene.post("probe/append", {}, token=token, address="10.1.2.3").status == 200
    denied = scene.post("probe/append", {}, token=token, address="192.0.2.1")
    assert (denied.status, denied.errors) == STATUS_AND_TEXT["stranger"]
    assert seen(denied) == seen(scene.post("probe/append", {}, token="nonsense"))


def test_a_use_is_spent_where_the_handler_breaks_too(scene: Scene) -> None:
    scene.write_policy("p", 'path "probe/*" { capabilities = ["update"] }')
    token = scene.token_for("p", num_uses=2)
    assert scene.post("probe/explode", {}, token=token).status == 500
    assert scene.post("probe/refuse", {}, token=token).status == 400
    assert scene.post("probe/append", {}, token=token).status == 403


def test_a_revoked_policy_is_gone_for_the_very_next_request_of_the_same_batch(scene: Scene) -> None:
    scene.write_policy("p", 'path "probe/*" { capabilities = ["update"] }')
    token = scene.token_for("p")
    assert scene.post("probe/append", {}, token=token).status == 200
    removal = scene.request("append")
    removal.path, removal.body = "sys/policies/acl/p", {"policy": 'path "other" { capabilities = ["read"] }'}
    first, denied = scene.batch(removal, scene.request("append", token=token))
    assert first is not None
    assert first.error is None
    assert denied is not None
    assert type(denied.error).__name__ == "AccessDenied"


def test_an_unmounted_engine_is_gone_for_the_next_request_of_the_same_batch(scene: Scene) -> None:
    unmount = scene.request("append")
    unmount.path, unmount.body = "sys/mounts/other", {"type": "probe"}
    answers = scene.batch(unmount, scene.request("append", mount="other"))
    assert [answer.error for answer in answers if answer is not None] == [None, None]
