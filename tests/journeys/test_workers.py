"""What one process of a server changed is seen by the very next request, whichever process answers it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
from tests.pinned import Pinned, pinned
from tests.processes import ServerProcess, running_server, wait_until

CONNECTIONS = 8
ROUNDS = 12
"""For each kind of change: so many changes, each looked at over every connection, so 96 trials of a kind."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("workers") / "vault", extra="workers = 2\n") as started:
        assert started.call("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}).status == 204
        yield started


@pytest.fixture(scope="module")
def connections(server: ServerProcess) -> Iterator[list[Pinned]]:
    with pinned(server, CONNECTIONS) as opened:
        yield opened


@pytest.fixture(autouse=True)
def traffic(server: ServerProcess) -> Iterator[None]:
    """Reads and writes over both processes meanwhile, so that no process is idle when something changes."""
    stopped = threading.Event()

    def work(connection: Pinned) -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            assert connection.call("POST", f"kv/data/noise/{number % 7}", {"data": {"n": number}}).status == 200
            assert connection.call("GET", f"kv/data/noise/{number % 7}").status == 200

    with pinned(server, 2) as opened:
        threads = [threading.Thread(target=work, args=(connection,)) for connection in opened]
        for thread in threads:
            thread.start()
        yield
        stopped.set()
        for thread in threads:
            thread.join()


def hammer(connections: list[Pinned], change: Callable[[Pinned, int], Callable[[Pinned], bool]]) -> None:
    """Have ``change`` made over one connection after the other; what it gives must be true over all of them at once."""
    stale = trials = 0
    for number, changing in enumerate(islice(cycle(connections), ROUNDS)):
        is_seen = change(changing, number)
        for asking in connections[number % CONNECTIONS :] + connections[: number % CONNECTIONS]:
            trials += 1
            stale += not is_seen(asking)
    assert (trials, stale) == (ROUNDS * CONNECTIONS, 0)


def test_the_connections_of_these_tests_reach_both_processes(connections: list[Pinned]) -> None:
    assert len({connection.worker for connection in connections}) == 2


def test_a_revoked_token_is_refused_by_every_process(connections: list[Pinned]) -> None:
    def revoke(changing: Pinned, _: int) -> Callable[[Pinned], bool]:
        token = changing.call("POST", "auth/token/create", {"policies": ["default"]}).auth["client_token"]
        assert all(one.call("GET", "auth/token/lookup-self", token=token).status == 200 for one in connections)
        assert changing.call("POST", "auth/token/revoke", {"token": token}).status == 204
        return lambda asking: asking.call("GET", "auth/token/lookup-self", token=token).status == 403

    hammer(connections, revoke)


def rule_for(name: str) -> str:
    return f'path "kv/data/{name}" {{ capabilities = ["read"] }}'


def test_a_changed_policy_holds_in_every_process(connections: list[Pinned]) -> None:
    first = connections[0]
    assert first.call("POST", "kv/data/guarded", {"data": {"a": 1}}).status == 200
    assert first.call("POST", "sys/policies/acl/changing", {"policy": rule_for("other")}).status == 204
    token = first.call("POST", "auth/token/create", {"policies": ["changing"]}).auth["client_token"]

    def allow_or_deny(changing: Pinned, number: int) -> Callable[[Pinned], bool]:
        is_allowed = number % 2 == 0
        rule = rule_for("guarded" if is_allowed else "other")
        assert changing.call("POST", "sys/policies/acl/changing", {"policy": rule}).status == 204
        return lambda asking: (asking.call("GET", "kv/data/guarded", token=token).status == 200) is is_allowed

    hammer(connections, allow_or_deny)


def test_a_mount_is_there_and_gone_in_every_process(connections: list[Pinned]) -> None:
    def mount_or_disable(changing: Pinned, number: int) -> Callable[[Pinned], bool]:
        if number % 2 == 0:
            assert changing.call("POST", "sys/mounts/fleeting", {"type": "kv"}).status == 204
            return lambda asking: asking.call("PUT", "fleeting/a", {"v": "1"}).status == 204
        assert changing.call("DELETE", "sys/mounts/fleeting").status == 204
        return lambda asking: asking.call("GET", "fleeting/a").status == 404

    hammer(connections, mount_or_disable)


def test_a_rotated_keyring_is_used_by_every_process(connections: list[Pinned]) -> None:
    def rotate(changing: Pinned, number: int) -> Callable[[Pinned], bool]:
        before = changing.call("GET", "sys/key-status").data["term"]
        assert changing.call("POST", "sys/rotate").status == 204

        def is_used(asking: Pinned) -> bool:
            written = asking.call("POST", f"kv/data/rotated/{number}", {"data": {"n": number}}).status == 200
            return written and bool(asking.call("GET", "sys/key-status").data["term"] == before + 1)

        return is_used

    hammer(connections, rotate)
    assert all(one.call("GET", f"kv/data/rotated/{n}").status == 200 for one in connections for n in range(ROUNDS))


def test_an_audit_device_records_the_next_request_of_every_process(
    connections: list[Pinned], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("devices")
    folder.chmod(0o700)

    def enable_or_disable(changing: Pinned, number: int) -> Callable[[Pinned], bool]:
        is_enabled = number % 2 == 0
        file = folder / f"{number - number % 2}.log"
        if is_enabled:
            device = {"type": "file", "options": {"file_path": str(file)}}
            assert changing.call("POST", "sys/audit/second", device).status == 204
        else:
            assert changing.call("DELETE", "sys/audit/second").status == 204

        def is_recorded(asking: Pinned) -> bool:
            answer = asking.call("GET", "auth/token/lookup-self")
            assert answer.body is not None
            request_id = answer.body["request_id"]
            if is_enabled:
                # The other device was enough for the answer; this one is waited for only while its disk is quick.
                wait_until(lambda: is_in(file, request_id))
            return is_in(file, request_id) is is_enabled

        return is_recorded

    hammer(connections, enable_or_disable)


def is_in(file: Path, request_id: str) -> bool:
    """Whether the records of the request are in the file. One that a faster writer overtook is recorded again as it runs again."""
    whole_lines = file.read_bytes().rpartition(b"\n")[0].splitlines()  # the last one may be under way
    types = [
        record["type"] for record in map(json.loads, whole_lines) if record.get("request", {}).get("id") == request_id
    ]
    return types[:1] == ["request"] and types.count("response") == 1 and types[-1] == "response"


def test_a_deleted_secret_is_gone_in_every_process(connections: list[Pinned]) -> None:
    def write_and_delete(changing: Pinned, number: int) -> Callable[[Pinned], bool]:
        path = f"kv/data/deleted/{number}"
        assert changing.call("POST", path, {"data": {"n": number}}).status == 200
        assert all(one.call("GET", path).status == 200 for one in connections)
        assert changing.call("DELETE", path).status == 204
        return lambda asking: asking.call("GET", path).status == 404

    hammer(connections, write_and_delete)
