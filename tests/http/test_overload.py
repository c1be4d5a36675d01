"""The listener when more comes than can be answered: refusals that keep the connection, and places that come back."""

from __future__ import annotations

import socket
import threading

import pytest
from tests.http.conftest import Serve, Served, get, read_answer

from strongroom.http.message import HttpResponse
from strongroom.http.queue import Patience
from strongroom.http.shared import Exchange
from strongroom.http.visitors import Bounds
from strongroom.http.writer import JSON_HEADERS

PATIENCE = Patience(wait=0.2, batch=2, batch_least=2)


class Gate:
    """An application that stands still in its first batch until it is let go."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.entered.set()
        assert self.go_on.wait(30)
        exchange.respond(HttpResponse(200, JSON_HEADERS, exchange.request.target.encode()))


def crowd(serve: Serve, gate: Gate, requests: list[bytes], waited: float) -> tuple[Served, list[socket.socket]]:
    """A listener whose loop stood still for ``waited`` seconds, while ``requests`` came over a connection each."""
    served = serve(gate, patience=PATIENCE, is_vital=lambda target: target == "/v1/vital")
    clients = [served.connect() for _ in requests]
    served.settle()
    first = served.connect()
    first.sendall(get("/v1/first"))
    assert gate.entered.wait(30)
    for client, request in zip(clients, requests, strict=True):
        client.sendall(request)
    served.clock.seconds += waited
    gate.go_on.set()
    assert read_answer(first)[0] == 200
    return served, clients


def test_who_waited_too_long_is_refused_and_can_ask_again_on_the_same_connection(serve: Serve) -> None:
    served, clients = crowd(serve, Gate(), [get(f"/v1/{number}") for number in range(6)], waited=1)
    answers = [read_answer(client) for client in clients]
    assert sorted(status for status, _, _ in answers) == [200, 200, 503, 503, 503, 503]
    for client, (status, headers, body) in zip(clients, answers, strict=True):
        if status == 503:
            assert headers["retry-after"] == "1"
            assert headers["content-type"] == "application/json"
            assert "connection" not in headers
            assert b"try again in a second" in body
        client.sendall(get("/v1/again"))
        assert read_answer(client)[0] == 200
    assert served.listener.shed == 4
    assert len(served.paths) == 1 + 2 + 6
    assert served.failures == []


def test_nobody_is_refused_while_the_wait_is_short(serve: Serve) -> None:
    served, clients = crowd(serve, Gate(), [get(f"/v1/{number}") for number in range(6)], waited=0.1)
    assert [read_answer(client)[0] for client in clients] == [200] * 6
    assert max(served.batches) == 2
    assert served.listener.shed == 0


def test_what_is_vital_is_answered_in_any_case(serve: Serve) -> None:
    requests = [get("/v1/vital")] * 2 + [get("/v1/other")] * 6
    _, clients = crowd(serve, Gate(), requests, waited=1)
    assert [read_answer(client)[0] for client in clients[:2]] == [200, 200]


@pytest.mark.parametrize(
    ("request_", "closes"),
    [
        (b"HEAD /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n", False),
        (get("/v1/a", "Connection: close"), True),
    ],
    ids=["head", "close"],
)
def test_a_refusal_is_framed_as_the_request_wants_it(serve: Serve, request_: bytes, *, closes: bool) -> None:
    _, clients = crowd(serve, Gate(), [request_, *[get("/v1/a")] * 6], waited=1)
    received = b""
    while b"\r\n\r\n" not in received:
        received += clients[0].recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert (b"Connection: close" in head) is closes
    assert bool(body) is closes


def test_requests_that_are_pipelined_behind_a_refused_one_are_answered(serve: Serve) -> None:
    pipelined = get("/v1/a") + get("/v1/b") + get("/v1/c")
    _, clients = crowd(serve, Gate(), [pipelined, *[get("/v1/d")] * 6], waited=1)
    assert [read_answer(clients[0])[0] for _ in range(3)] == [503, 200, 200]


def test_a_body_counts_against_the_memory_until_its_request_is_answered(serve: Serve) -> None:
    waiting: list[Exchange] = []
    served = serve(waiting.append, bounds=Bounds(buffered_bytes=1_000_000))
    whole = b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 700000\r\n\r\n" + b"a" * 700_000
    first, second = served.connect(), served.connect()
    first.sendall(whole)
    while not waiting:
        served.settle()
    second.sendall(whole[:500_000])
    assert read_answer(second)[0] == 429
    waiting[0].respond(HttpResponse(200, JSON_HEADERS, b"{}"))
    assert read_answer(first)[0] == 200
    third = served.connect()
    third.sendall(whole)
    while len(waiting) < 2:
        served.settle()
    waiting[1].respond(HttpResponse(200, JSON_HEADERS, b"{}"))
    assert read_answer(third)[0] == 200
