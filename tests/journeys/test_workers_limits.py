"""Limits hold over all processes of a server, and what it says of itself does not depend on which of them is asked."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from tests.pinned import Pinned, at_once, pinned
from tests.processes import ServerProcess, running_server, wait_until

CONNECTIONS = 6
PER_ADDRESS = 40
EXTRA = f"workers = 2\nmax_connections_per_address = {PER_ADDRESS}\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("workers") / "vault", extra=EXTRA) as started:
        assert started.call("POST", "sys/mounts/kv", {"type": "kv"}).status == 204
        assert started.call("POST", "kv/a", {"value": "one"}).status == 204
        yield started


@pytest.fixture
def connections(server: ServerProcess) -> Iterator[list[Pinned]]:
    with pinned(server, CONNECTIONS) as opened:
        yield opened
    wait_until(lambda: open_connections(server) <= 1)
    assert server.call("DELETE", "sys/quotas/rate-limit/kv").status == 204


def limit(connection: Pinned, **fields: Any) -> None:
    assert connection.call("POST", "sys/quotas/rate-limit/kv", {"path": "kv", **fields}).status == 204


def statuses(connection: Pinned, count: int) -> list[int]:
    return [connection.call("GET", "kv/a").status for _ in range(count)]


def test_clients_of_all_processes_together_get_exactly_the_rate(connections: list[Pinned]) -> None:
    limit(connections[0], rate=50, interval="1h")
    answered = at_once(*(partial(statuses, connection, 25) for connection in connections))
    assert sum(one.count(200) for one in answered) == 50
    assert sum(one.count(429) for one in answered) == 25 * CONNECTIONS - 50


def test_a_client_of_one_process_gets_the_whole_rate(connections: list[Pinned]) -> None:
    for connection in connections[:2]:
        limit(connections[0], rate=30, interval="1h")
        assert statuses(connection, 31) == [200] * 30 + [429]
        assert connections[0].call("DELETE", "sys/quotas/rate-limit/kv").status == 204


def test_a_changed_limit_holds_for_the_very_next_request_over_any_process(connections: list[Pinned]) -> None:
    first, second = connections[:2]
    assert first.worker != second.worker
    for _ in range(15):
        limit(first, rate=1, interval="1h")
        assert statuses(second, 2) == [200, 429]
        assert first.call("DELETE", "sys/quotas/rate-limit/kv").status == 204
        assert statuses(second, 2) == [200, 200]


def test_whoever_is_blocked_is_blocked_everywhere(connections: list[Pinned]) -> None:
    first, second = connections[:2]
    limit(first, rate=1, interval="1s", block_interval="1h")
    assert statuses(first, 2) == [200, 429]
    refused = second.call("GET", "kv/a")
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 3500


def test_an_address_has_its_connections_over_all_processes(server: ServerProcess) -> None:
    opened: list[ssl.SSLSocket] = []
    refused = 0
    with contextlib.ExitStack() as stack:
        while refused < 5:
            try:
                plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
                stack.callback(plain.close)
                opened.append(stack.enter_context(server.context.wrap_socket(plain, server_hostname="127.0.0.1")))
            except OSError:
                refused += 1
            assert len(opened) <= PER_ADDRESS
        assert len(opened) == PER_ADDRESS
        opened.pop().close()
        wait_until(lambda: _can_connect(server))
    wait_until(lambda: open_connections(server) <= 1)


def _can_connect(server: ServerProcess) -> bool:
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=30, context=server.context)
        connection.connect()
        connection.close()
    except OSError:
        return False
    return True


def open_connections(server: ServerProcess) -> int:
    answer = server.call("GET", "sys/metrics")
    assert answer.body is not None
    return gauge(answer.body, "strongroom_connections_open")


def gauge(body: dict[str, Any], name: str) -> int:
    found = [one["Value"] for one in body["Gauges"] if one["Name"] == name]
    assert len(found) == 1
    return int(found[0])


def test_every_process_shows_the_connections_of_all(connections: list[Pinned]) -> None:
    seen = {}
    for connection in connections[:2]:
        body = connection.call("GET", "sys/metrics").body
        assert body is not None
        seen[connection.worker] = gauge(body, "strongroom_connections_open")
        assert gauge(body, "strongroom_process_open_fds") > 2 * 8
    assert len(seen) == 2
    assert len(set(seen.values())) == 1
    assert min(seen.values()) >= CONNECTIONS


def test_requests_of_every_process_are_shown_as_under_way(connections: list[Pinned]) -> None:
    ended = threading.Event()

    def keep_busy(connection: Pinned) -> None:
        while not ended.is_set():
            connection.call("GET", "kv/busy")

    first, second, *_, busy_first, busy_second = connections
    assert {busy_first.worker, busy_second.worker} == {first.worker, second.worker}
    for busy in (busy_first, busy_second):
        ended.clear()
        thread = threading.Thread(target=keep_busy, args=(busy,))
        thread.start()
        try:
            for asking in (first, second):
                wait_until(lambda asking=asking: _shows(asking, "/v1/kv/busy"))
        finally:
            ended.set()
            thread.join(30)


def _shows(asking: Pinned, path: str) -> bool:
    answer = asking.call("GET", "sys/in-flight-req")
    assert answer.status == 200
    assert answer.body is not None
    paths = [one["request_path"] for one in answer.body.values()]
    assert "/v1/sys/in-flight-req" in paths
    return path in paths
