from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest
from tests.client.conftest import Connect, Serve

from strongroom.client.client import Call, Client
from strongroom.client.errors import ApiError, BadAnswer, BadSettings, ConnectionFailed
from strongroom.client.settings import Settings
from strongroom.logical.secret import Secret

TOKEN = Secret("s.CANARY-TOKEN")


def answer(status: int = 200, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_a_read_carries_what_every_server_expects(serve: Serve, connect: Connect) -> None:
    address, script = serve(answer(200, b'{"data":{"a":1}}'))
    asking = connect(address, namespace="team", wrap_ttl="60s")
    assert asking.read("secret/data/a b", {"version": "2"}) == {"data": {"a": 1}}
    head = script.requests[0].decode()
    assert head.startswith("GET /v1/secret/data/a%20b?version=2 HTTP/1.1\r\n")
    assert "X-Vault-Token: s.CANARY-TOKEN\r\n" in head
    assert "X-Vault-Request: true\r\n" in head
    assert "X-Vault-Namespace: team\r\n" in head
    assert "X-Vault-Wrap-TTL: 60s\r\n" in head


def test_each_verb_has_its_method_and_form(serve: Serve, connect: Connect) -> None:
    address, script = serve(*[answer(204)] * 4)
    asking = connect(address)
    asking.write("a", {"n": 1.5})
    asking.list("a")
    asking.patch("a", {"gone": None})
    asking.delete("a")
    write, listing, patch, delete = script.requests
    assert write.startswith(b"PUT /v1/a HTTP/1.1\r\n")
    assert write.endswith(b'\r\n\r\n{"n":1.5}')
    assert listing.startswith(b"GET /v1/a?list=true HTTP/1.1\r\n")
    assert patch.startswith(b"PATCH /v1/a")
    assert b"Content-Type: application/merge-patch+json\r\n" in patch
    assert json.loads(patch.partition(b"\r\n\r\n")[2]) == {"gone": None}
    assert delete.startswith(b"DELETE /v1/a HTTP/1.1\r\n")


def test_the_connection_is_kept(serve: Serve, connect: Connect) -> None:
    address, script = serve(answer(204), answer(204), answer(204))
    asking = connect(address)
    for _ in range(3):
        asking.write("a")
    assert (script.connections, len(script.requests)) == (1, 3)


def test_an_idle_connection_that_was_closed_is_opened_again(serve: Serve, connect: Connect) -> None:
    address, script = serve(answer(204), answer(204))
    asking = connect(address)
    asking.write("a")
    assert asking._connection is not None
    assert asking._connection._socket is not None
    asking._connection._socket.shutdown(2)
    asking.write("b")
    assert script.connections == 2


def test_nothing_there_is_none(serve: Serve, connect: Connect) -> None:
    address, _ = serve(answer(404, b'{"errors":[]}'))
    assert connect(address).read("secret/data/none") is None


def test_a_deleted_version_is_given_back_with_its_metadata(serve: Serve, connect: Connect) -> None:
    address, _ = serve(answer(404, b'{"data":{"data":null,"metadata":{"version":2}}}'))
    assert connect(address).read("secret/data/x") == {"data": {"data": None, "metadata": {"version": 2}}}


def test_an_error_reads_as_vaults_users_know_it(serve: Serve, connect: Connect) -> None:
    address, _ = serve(answer(403, b'{"errors":["permission denied","really"]}'))
    with pytest.raises(ApiError) as caught:
        connect(address).write("secret/x", {"password": "CANARY"})
    assert str(caught.value) == (
        f"Error making API request.\n\nURL: PUT {address}/v1/secret/x\nCode: 403. Errors:\n\n* permission denied\n* really"
    )
    assert "CANARY" not in repr(caught.value)


def test_an_error_that_is_no_json_is_shown_as_it_is_but_cannot_steer_the_terminal(
    serve: Serve, connect: Connect
) -> None:
    address, _ = serve(answer(502, b"<h1>bad\x1b[2J gateway</h1>"))
    with pytest.raises(ApiError) as caught:
        connect(address).read("x")
    assert "Raw Message:\n\n<h1>bad�[2J gateway</h1>" in str(caught.value)


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503])
def test_a_passing_trouble_is_tried_again(serve: Serve, connect: Connect, status: int) -> None:
    sleeps: list[float] = []
    address, script = serve(answer(status, b"{}"), answer(status, b"{}"), answer(204))
    connect(address, sleeps, max_retries=2).write("a", {"v": 1})
    assert (len(script.requests), sleeps) == (3, [1.0, 1.5])
    assert all(request.endswith(b'{"v":1}') for request in script.requests)


def test_the_server_may_say_how_long_to_wait_within_reason(serve: Serve, connect: Connect) -> None:
    sleeps: list[float] = []
    address, _ = serve(answer(429, b"{}", b"Retry-After: 3"), answer(429, b"{}", b"Retry-After: 99999"), answer(204))
    connect(address, sleeps, max_retries=2).read("a")
    assert sleeps == [3.0, 10.0]


@pytest.mark.parametrize("status", [400, 403, 404, 501])
def test_a_final_answer_is_not_asked_for_twice(serve: Serve, connect: Connect, status: int) -> None:
    address, script = serve(answer(status, b'{"errors":["no"]}'))
    with pytest.raises(ApiError):
        connect(address, max_retries=2).write("a")
    assert len(script.requests) == 1


def test_the_last_error_stands_when_nothing_helped(serve: Serve, connect: Connect) -> None:
    address, script = serve(*[answer(503, b'{"errors":["Vault is sealed"]}')] * 3)
    with pytest.raises(ApiError, match="Vault is sealed"):
        connect(address, max_retries=2).read("a")
    assert len(script.requests) == 3


def test_a_connection_that_breaks_is_tried_again(serve: Serve, connect: Connect) -> None:
    address, script = serve(b"", answer(200, b'{"data":{}}'))
    assert connect(address, max_retries=1).read("a") == {"data": {}}
    assert script.connections == 2


def test_nobody_listening_is_said_with_the_address(serve: Serve, connect: Connect) -> None:
    address, script = serve()
    script.close()
    sleeps: list[float] = []
    with pytest.raises(ConnectionFailed, match=f"cannot connect to {address}: connection refused"):
        connect(address, sleeps, max_retries=2).read("a")
    assert len(sleeps) == 2


def test_a_server_that_never_answers_is_given_up(serve: Serve, connect: Connect) -> None:
    # What is cut short arrives; the rest of it never does, and the connection stays open.
    address, _ = serve(b"HTTP/1.1 200 OK\r\nContent-Le", answer(204))
    with pytest.raises(ConnectionFailed, match="timed out"):
        connect(address, timeout_seconds=0.05).read("a")


def test_an_answer_that_stops_in_the_middle_is_an_error_and_not_asked_for_again(serve: Serve, connect: Connect) -> None:
    address, _ = serve(answer(200, b'{"data":{}}')[:-2], answer(204))
    with pytest.raises(BadAnswer, match="cut short: timed out"):
        connect(address, timeout_seconds=0.05, max_retries=2).write("a")
    address, script = serve(answer(200, b'{"data":{}}', b"Connection: close")[:-3])
    with pytest.raises(BadAnswer, match="cut short: the server closed"):
        connect(address, max_retries=2).write("a")
    assert len(script.requests) == 1


def test_a_redirect_is_followed_with_its_body_and_token(serve: Serve, connect: Connect) -> None:
    target, there = serve(answer(204))
    address, _ = serve(answer(307, b"", b"Location: " + target.encode() + b"/v1/b?c=d"))
    connect(address).write("a", {"v": 1})
    request = there.requests[0]
    assert request.startswith(b"PUT /v1/b?c=d HTTP/1.1\r\n")
    assert request.endswith(b'{"v":1}')
    assert b"X-Vault-Token: s.CANARY-TOKEN" in request


def test_a_redirect_within_the_server_is_followed(serve: Serve, connect: Connect) -> None:
    address, script = serve(answer(301, b"", b"Location: /v1/clean"), answer(204))
    connect(address).write("a//b", {"v": 1})
    assert script.requests[1].startswith(b"PUT /v1/clean HTTP/1.1\r\n")


def test_a_circle_of_redirects_ends_with_an_error(serve: Serve, connect: Connect) -> None:
    address, script = serve(*[answer(307, b"", b"Location: /v1/a")] * 9)
    with pytest.raises(BadAnswer, match="circle"):
        connect(address, max_retries=2).read("a")
    assert len(script.requests) == 2


@pytest.mark.parametrize("location", [b"", b"//other", b"ftp://other/x", b"unix:///tmp/socket", b"/v1/a b"])
def test_a_redirect_to_nowhere_is_refused(serve: Serve, connect: Connect, location: bytes) -> None:
    address, _ = serve(answer(307, b"", b"Location: " + location))
    with pytest.raises((BadAnswer, BadSettings)):
        connect(address).read("a")


def test_redirects_can_be_refused(serve: Serve, connect: Connect) -> None:
    address, _ = serve(answer(307, b"", b"Location: /v1/b"))
    with pytest.raises(BadAnswer, match="307"):
        connect(address, follow_redirects=False).read("a")


def test_a_unix_socket_serves_as_well(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    address, script = serve(answer(200, b'{"data":{"a":"b"}}'), unix=str(tmp_path / "s"))
    assert connect(address).read("a") == {"data": {"a": "b"}}
    assert b"Host: localhost\r\n" in script.requests[0]


def test_a_preview_gets_the_call_and_nothing_is_sent(serve: Serve) -> None:
    class Shown(Exception):
        pass

    seen: list[Call] = []

    def preview(call: Call) -> NoReturn:
        seen.append(call)
        raise Shown

    address, script = serve(answer(204))
    asking = Client(Settings(address=address, token=TOKEN), preview=preview)
    with pytest.raises(Shown):
        asking.write("a", {"v": "CANARY-VALUE"})
    assert script.requests == []
    assert seen[0].url == f"{address}/v1/a"
    assert "CANARY" not in repr(seen[0])


def test_the_token_is_in_no_repr(connect: Connect) -> None:
    asking = connect("http://127.0.0.1:1")
    assert "CANARY" not in repr(asking)
    assert "CANARY" not in repr(asking.settings)
