from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.quotas.front import Front

from strongroom.logical.operation import Operation
from strongroom.logical.request import Connection, Request
from strongroom.logical.secret import Secret
from strongroom.system.under_way import InFlight


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front()
    yield front
    front.close()
    assert front.vault.failures == []


def shown(front: Front, **options: Any) -> dict[str, Any]:
    result = front.get("sys/in-flight-req", **options)
    assert result.status == 200, result
    assert result.body is not None
    return result.body


def under_way(name: str, token: str | None = None) -> Request:
    connection = Connection(remote_address="192.0.2.9", remote_port=40_000)
    return Request(
        id=name,
        operation=Operation.READ,
        path="cubbyhole/x",
        connection=connection,
        method="GET",
        token=None if token is None else Secret(token),
    )


def test_it_shows_itself_and_the_batch_that_is_answered_meanwhile(front: Front) -> None:
    front.vault.node.in_flight.begin_batch([under_way("a"), under_way("b")], front.vault.clock.now_ns())
    asking = front.asked("GET", "sys/in-flight-req")
    front.edge([asking])
    front.vault.node.in_flight.begin_batch([under_way("c")], front.vault.clock.now_ns())
    body = asking.result().body
    assert body is not None
    assert asking.request.id in body
    assert body[asking.request.id] == {
        "start_time": "2030-03-17T17:46:40.000000000Z",
        "client_remote_address": "192.0.2.1:40000",
        "request_path": "/v1/sys/in-flight-req",
        "request_method": "GET",
        "client_id": body[asking.request.id]["client_id"],
    }
    assert len(body[asking.request.id]["client_id"]) == 64


def test_a_client_has_one_id_that_is_not_its_token(front: Front) -> None:
    node, token = front.vault.node, front.vault.token_for("default")
    batch = [under_way("one", token), under_way("other", token), under_way("nobody"), under_way("root", "x")]
    node.in_flight.begin_batch(batch, front.vault.clock.now_ns())
    found = node.under_way()
    ids = [found[request.id]["client_id"] for request in batch]
    assert ids[0] == ids[1] != ids[3]
    assert ids[2] == ""
    assert node.require().tokens.id_of(Secret(token)) not in ids


class Others:
    """Sibling processes that answer something."""

    def unsealed(self, root_key: bytearray) -> None:
        raise NotImplementedError

    def sealed(self) -> None:
        raise NotImplementedError

    def root_key_coming(self, root_key: bytearray) -> None:
        raise NotImplementedError

    def root_key_settled(self) -> None:
        raise NotImplementedError

    def under_way(self) -> dict[str, dict[str, str]]:
        path = {"request_path": "/v1/kv/secret", "start_time": "2030-03-17T17:46:39.000000000Z"}
        return {"theirs": path}


def test_what_other_processes_answer_is_shown_too_and_paths_only_to_those_who_may_see_them(front: Front) -> None:
    front.vault.node.siblings = Others()
    body = shown(front)
    assert next(iter(body)) == "theirs"
    assert len(body) == 2
    assert body["theirs"]["request_path"] == "/v1/kv/secret"
    front.vault.write_policy("look", 'path "sys/in-flight-req" { capabilities = ["read"] }')
    assert shown(front, token=front.vault.token_for("look"))["theirs"]["request_path"] == ""


def test_paths_are_shown_to_root_and_sudo_alone(front: Front) -> None:
    rule = 'path "sys/in-flight-req" {{ capabilities = [{}] }}'
    front.vault.write_policy("look", rule.format('"read"'))
    front.vault.write_policy("see", rule.format('"read", "sudo"'))
    for policy, paths in (("look", {""}), ("see", {"/v1/sys/in-flight-req"})):
        body = shown(front, token=front.vault.token_for(policy))
        assert {one["request_path"] for one in body.values()} == paths
    assert front.get("sys/in-flight-req", token=front.vault.token_for("default")).status == 403
    assert front.get("sys/in-flight-req", token=None).status == 403


def test_a_request_on_the_pool_is_shown_until_it_is_answered(front: Front) -> None:
    begun, go_on = threading.Event(), threading.Event()
    rotate = front.vault.node.require().barrier.rotate

    def slowly(keyring: int | None = None) -> int:
        begun.set()
        go_on.wait(30)
        return rotate(keyring)

    front.vault.node.require().barrier.rotate = slowly  # type: ignore[method-assign]  # a slow rotation
    slow = front.asked("POST", "sys/rotate")
    front.edge([slow])
    assert begun.wait(30)
    assert shown(front)[slow.request.id]["request_path"] == "/v1/sys/rotate"
    go_on.set()
    assert slow.result().status == 204
    assert slow.request.id not in shown(front)


def test_nothing_is_kept_of_a_batch_that_is_over(front: Front) -> None:
    front.get("sys/mounts")
    assert front.vault.node.in_flight.all() == []


def test_what_came_first_is_shown_first() -> None:
    def request(name: str) -> Request:
        return Request(id=name, operation=Operation.READ, path="x", connection=Connection())

    in_flight = InFlight()
    in_flight.begin_slow(request("second"), 20)
    in_flight.begin_slow(request("first"), 10)
    in_flight.begin_batch([request("third")], 30)
    assert [one.id for _, one in in_flight.all()] == ["first", "second", "third"]
    in_flight.end_slow(request("first"))
    in_flight.end_slow(request("first"))
    assert [one.id for _, one in in_flight.all()] == ["second", "third"]
