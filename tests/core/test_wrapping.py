"""Which answers are wrapped, and how they are kept."""

from __future__ import annotations

import json

import pytest
from tests.core.conftest import CANARY, Scene

from strongroom.core.wrapping import wrap
from strongroom.logical.request import RawBody, Response


def test_what_is_wrapped_already_or_is_not_json_is_handed_on(scene: Scene) -> None:
    request = scene.request("read")
    request.wrap_ttl = 60
    with scene.node.require().barrier.transaction() as transaction:
        for response in (
            Response(wrapped_envelope=b"{}"),
            Response(raw=RawBody(content_type="text/plain", content=b"x")),
        ):
            assert wrap(scene.node.require(), transaction, request, response) is response
        assert not transaction.has_changes


def test_without_a_ttl_nothing_is_wrapped(scene: Scene) -> None:
    response = Response(data={"a": 1})
    with scene.node.require().barrier.transaction() as transaction:
        assert wrap(scene.node.require(), transaction, scene.request("read"), response) is response


@pytest.mark.parametrize("token", ["root", None])
@pytest.mark.parametrize("path", ["sys/health", "sys/seal-status", "sys/leader", "sys/init", "sys/internal/ui/mounts"])
def test_what_anybody_may_read_is_wrapped_for_nobody(scene: Scene, path: str, token: str | None) -> None:
    accessors = scene.list("auth/token/accessors").data["keys"]
    answer = scene.get(path, token=token, wrap_ttl="768h")
    assert answer.status == 200
    assert answer.body is not None
    assert answer.body.get("wrap_info") is None
    assert answer.body.keys() == (scene.get(path, token=token).body or {}).keys()
    assert scene.list("auth/token/accessors").data["keys"] == accessors


def test_the_audit_record_of_an_unwrapping_names_the_keys_and_no_value(scene: Scene) -> None:
    scene.mount("kv")
    scene.post("kv/a", {"password": CANARY})
    wrapped = scene.get("kv/a", wrap_ttl="60")
    assert wrapped.body is not None
    scene.device.written.clear()
    scene.post("sys/wrapping/unwrap", {"token": wrapped.body["wrap_info"]["token"]}, token=None)
    (response,) = [record for record in scene.device.records if record["type"] == "response"]
    assert "password" in json.dumps(response)
    assert CANARY not in scene.device.text
    assert wrapped.body["wrap_info"]["token"] not in scene.device.text


def test_the_wrapping_ttls_of_a_policy_hold(scene: Scene) -> None:
    scene.mount("kv")
    scene.post("kv/a", {"k": "v"})
    scene.write_policy(
        "wrapped", 'path "kv/*" { capabilities = ["read"]\n min_wrapping_ttl = "1m"\n max_wrapping_ttl = "5m" }'
    )
    token = scene.token_for("wrapped")
    assert scene.get("kv/a", token=token).status == 403
    assert scene.get("kv/a", token=token, wrap_ttl="59").status == 403
    assert scene.get("kv/a", token=token, wrap_ttl="301").status == 403
    assert scene.get("kv/a", token=token, wrap_ttl="60").status == 200
