"""What is counted is counted exactly, whichever process of the server a client talks to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from tests.pinned import Pinned, at_once, pinned
from tests.processes import ServerProcess, running_server

CONNECTIONS = 8
LOCKED_AFTER = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("workers") / "vault", extra="workers = 2\n") as started:
        assert started.call("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}).status == 204
        assert started.call("POST", "sys/auth/approle", {"type": "approle"}).status == 204
        assert started.call("POST", "sys/auth/userpass", {"type": "userpass"}).status == 204
        yield started


@pytest.fixture(scope="module")
def connections(server: ServerProcess) -> Iterator[list[Pinned]]:
    with pinned(server, CONNECTIONS) as opened:
        assert len({one.worker for one in opened}) == 2
        yield opened


def increment(connection: Pinned, times: int) -> int:
    """Add one to the counter so many times, by check-and-set; the number of refusals on the way."""
    refused = 0
    while times:
        read = connection.call("GET", "kv/data/counter").data
        body = {"data": {"n": read["data"]["n"] + 1}, "options": {"cas": read["metadata"]["version"]}}
        answer = connection.call("POST", "kv/data/counter", body)
        assert answer.status in {200, 400}, answer
        if answer.status == 200:
            times -= 1
        else:
            refused += 1
    return refused


def test_check_and_set_loses_no_increment(connections: list[Pinned]) -> None:
    assert connections[0].call("POST", "kv/data/counter", {"data": {"n": 0}, "options": {"cas": 0}}).status == 200

    refused = at_once(*(partial(increment, connection, 12) for connection in connections))

    assert sum(refused) > 0, "the clients never met"
    for connection in connections:
        assert connection.call("GET", "kv/data/counter").data["data"]["n"] == 12 * CONNECTIONS


def successes(connection: Pinned, method: str, path: str, body: object = None, *, token: str | None = None) -> int:
    """How many requests are answered with 200 before the first that is not."""
    count = 0
    while connection.call(method, path, body, token=token).status == 200:
        count += 1
    return count


@pytest.mark.parametrize("uses", [1, 50])
def test_a_token_is_used_as_often_as_it_may_be(connections: list[Pinned], uses: int) -> None:
    made = connections[0].call("POST", "auth/token/create", {"policies": ["default"], "num_uses": uses})
    token = made.auth["client_token"]

    used = at_once(*(partial(successes, one, "GET", "auth/token/lookup-self", token=token) for one in connections))

    assert sum(used) == uses


@pytest.mark.parametrize("uses", [1, 30])
def test_a_secret_id_logs_in_as_often_as_it_may(connections: list[Pinned], uses: int) -> None:
    first = connections[0]
    assert first.call("POST", "auth/approle/role/r", {"secret_id_num_uses": uses}).status == 204
    login = {
        "role_id": first.call("GET", "auth/approle/role/r/role-id").data["role_id"],
        "secret_id": first.call("POST", "auth/approle/role/r/secret-id").data["secret_id"],
    }

    used = at_once(*(partial(successes, one, "POST", "auth/approle/login", login, token="") for one in connections))

    assert sum(used) == uses


@pytest.mark.parametrize("failures", [LOCKED_AFTER - 1, LOCKED_AFTER])
def test_failed_logins_are_counted_over_all_processes(connections: list[Pinned], failures: int) -> None:
    name = f"user-{failures}"
    assert connections[0].call("POST", f"auth/userpass/users/{name}", {"password": "right"}).status == 204
    login = f"auth/userpass/login/{name}"

    for connection in connections[:failures]:
        assert connection.call("POST", login, {"password": "wrong"}, token="").status in {400, 403}

    is_locked = failures == LOCKED_AFTER
    for connection in connections[:2]:
        assert (connection.call("POST", login, {"password": "right"}, token="").status == 200) is not is_locked
