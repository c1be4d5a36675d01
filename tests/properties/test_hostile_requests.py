"""The whole way from the socket: raw bytes that are nearly a request, and many requests at once."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import StringIO
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.declarations.catalog import BODY_METHODS, CASES
from tests.declarations.examples import EXAMPLES, Example, default_captures
from tests.declarations.world import World
from tests.kit import Vault
from tests.properties.hostile import CANARY

from strongroom.core.batch import Alarms
from strongroom.encoding import json
from strongroom.http.listener import Listener
from strongroom.logical.ambient import SystemClock
from strongroom.server.edge import Edge
from strongroom.server.log import Log

PATIENCE = 30.0
SEED = 20300317
CLIENTS = 6
ENDS_THE_GAME = {"POST sys/seal", "POST auth/token/revoke-self"}
"""What would leave the others with nothing to ask, as all ask with the root token."""


@dataclass
class Served:
    """A vault behind a listener of its own. ``log`` is what the server wrote."""

    vault: Vault
    address: tuple[str, int]
    failures: list[Exception] = field(default_factory=list)
    log: StringIO = field(default_factory=StringIO)

    def exchange(self, payload: bytes) -> bytes:
        """Everything that comes back before the server closes; we stop sending after ``payload``."""
        received = bytearray()
        with socket.create_connection(self.address, timeout=PATIENCE) as client:
            try:
                client.sendall(payload)
                client.shutdown(socket.SHUT_WR)
                while piece := client.recv(65536):
                    received += piece
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it was read to the end
        return bytes(received)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    vault = World().fresh()
    served = Served(vault, ("127.0.0.1", 0))
    log = Log(SystemClock(), stream=served.log)

    def on_failure(failure: Exception) -> None:
        served.failures.append(failure)
        log.failure(failure)

    edge = Edge(vault.node, Alarms(on_failure, lambda: None))
    listener = Listener(edge, SystemClock(), on_failure=on_failure)
    served.address = listener.add_tcp("127.0.0.1", 0)
    thread = threading.Thread(target=listener.run, daemon=True)
    thread.start()
    yield served
    listener.stop()
    thread.join(PATIENCE)
    edge.close()
    assert not thread.is_alive()


def raw(method: str, path: str, body: object = None, *, token: str, more: str = "") -> bytes:
    """A request as a client writes it."""
    content = b"" if body is None else json.encode(body)
    media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    head = (
        f"{method} /v1/{path} HTTP/1.1\r\nHost: vault.test\r\nX-Vault-Token: {token}\r\nContent-Type: {media_type}\r\n"
        f"{more}Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)]


INSERTED = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"%",
    b"%00",
    b"%2e%2e/",
    b"../",
    b"//",
    b"\\",
    b"?list=true&list=false",
    b"#",
    b"\xff",
    b"Content-Length: 3\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Host: other\r\n",
    b"X-Vault-Token: other\r\n",
    b"X-Vault-Wrap-TTL: " + CANARY.encode() + b"\r\n",
    b"Expect: 200-ok\r\n",
    b" folded: header\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b'{"a":' * 80,
    b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n",
    CANARY.encode(),
    b"A" * 70_000,
)


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[str, float, float, bytes]]:
    """Up to three changes: what is done, from where and over how much of the request, with what."""
    one = st.tuples(
        st.sampled_from(["insert", "insert", "delete", "replace", "repeat", "cut"]),
        st.floats(0, 1),
        st.floats(0, 0.2),
        st.sampled_from(INSERTED),
    )
    return draw(st.lists(one, min_size=1, max_size=3))


def mutate(request: bytes, changes: list[tuple[str, float, float, bytes]]) -> bytes:
    for what, where, how_much, inserted in changes:
        start = int(where * len(request))
        end = start + int(how_much * len(request))
        if what == "insert":
            request = request[:start] + inserted + request[start:]
        elif what == "delete":
            request = request[:start] + request[end:]
        elif what == "replace":
            request = request[:start] + inserted + request[end:]
        elif what == "repeat":
            request = request[:end] + request[start:]
        else:
            request = request[:start]
    return request


def requests(root: str) -> list[bytes]:
    """Requests that are whole, half of them by somebody whom nobody knows."""
    return [
        raw("GET", "kv2/data/example?version=1", token=root),
        raw("LIST", "kv2/metadata/", token=CANARY),
        raw("POST", "kv2/data/hostile", {"data": {"value": CANARY}}, token=root),
        raw("PATCH", "kv2/data/example", {"data": {"value": CANARY}}, token=root, more="X-Vault-Wrap-TTL: 5m\r\n"),
        raw("POST", "auth/userpass/login/example", {"password": CANARY}, token=CANARY),
        raw("DELETE", "kv2/metadata/hostile", token=root),
    ]


def test_the_requests_that_are_changed_are_whole_before(served: Served) -> None:
    answered = [statuses(served.exchange(request)) for request in requests(served.vault.root)]
    assert answered == [[200], [403], [200], [200], [400], [204]]


@settings(deadline=None, derandomize=True, database=None, max_examples=600, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 5), changes=mutations())
def test_bytes_that_are_nearly_a_request_are_answered_or_refused(
    served: Served, number: int, changes: list[tuple[str, float, float, bytes]]
) -> None:
    received = served.exchange(mutate(requests(served.vault.root)[number], changes))
    assert served.failures == []
    assert all(status < 500 for status in statuses(received)), received
    answers = received.split(b"HTTP/1.1 ")
    echoed = [answer for answer in answers if CANARY.encode() in answer and b"no handler for route" not in answer]
    assert [answer for answer in echoed if not answer.startswith(b"200")] == []
    assert not any(CANARY in text for record in served.vault.device.records for text in shown(record))
    served.vault.device.written.clear()


def shown(value: object) -> Iterator[str]:
    """Every text in a record, without paths and the names of keys, which stand in clear."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "path":
                yield from shown(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from shown(inner)
    else:
        yield str(value)


def test_requests_of_every_kind_at_once_are_all_answered(served: Served) -> None:
    cases = [case for case in CASES if case.id not in ENDS_THE_GAME]
    root = served.vault.root

    def ask(client: int) -> list[int]:
        random = Random(SEED + client)
        asked = []
        for case in random.sample(cases, 60):
            known = EXAMPLES.get(case.id)
            body = known.body if isinstance(known, Example) else {}
            path = quote(case.path(default_captures(case)))
            asked.append(raw(case.method, path, body if case.method in BODY_METHODS else None, token=root))
        return [status for request in asked for status in statuses(served.exchange(request))]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = list(pool.map(ask, range(CLIENTS)))
    assert served.failures == []
    assert served.log.getvalue() == ""
    assert [len(one) for one in answered] == [60] * CLIENTS
    assert [status for one in answered for status in one if status >= 500] == []


def test_of_all_who_write_the_same_version_at_once_one_succeeds(served: Served) -> None:
    root, rounds = served.vault.root, 10

    def race(_: int) -> list[int]:
        won = []
        for version in range(rounds):
            body = {"data": {"value": "a"}, "options": {"cas": version}}
            received = served.exchange(raw("POST", "kv2/data/contested", body, token=root))
            won += [version] if statuses(received) == [200] else []
        return won

    with ThreadPoolExecutor(CLIENTS) as pool:
        won = sorted(version for one in pool.map(race, range(CLIENTS)) for version in one)
    assert len(won) == len(set(won))
    assert served.vault.get("kv2/metadata/contested").data["current_version"] == len(won)
    assert served.failures == []
