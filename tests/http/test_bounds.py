"""What a hostile or broken client can cost: time, connections and memory, all bounded (SECURITY R-14)."""

from __future__ import annotations

import errno
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from tests.http.conftest import PATIENCE, Serve, Served, get, read_answer, read_to_end, statuses

from strongroom.http.listener import Listener
from strongroom.http.message import HttpResponse
from strongroom.http.shared import Exchange, Timeouts
from strongroom.http.visitors import Bounds
from strongroom.http.writer import JSON_HEADERS

HEAD_PART = b"GET /v1/a HTTP/1.1\r\nHost: x\r\n"
BODY_PART = b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"


@pytest.mark.parametrize(
    ("sent", "seconds", "answered"),
    [
        (b"", 11, []),
        (HEAD_PART, 11, [408]),
        (BODY_PART, 31, [408]),
        (get("/v1/a"), 121, [200]),
        (get("/v1/a") + HEAD_PART, 11, [200, 408]),
        (get("/v1/a") + BODY_PART, 31, [200, 408]),
    ],
    ids=["nothing", "head", "body", "idle", "second head", "second body"],
)
def test_whoever_is_too_slow_is_disconnected(serve: Serve, sent: bytes, seconds: int, answered: list[int]) -> None:
    served = serve()
    client = served.connect()
    client.sendall(sent)
    served.pass_time(seconds - 2)
    client.setblocking(False)
    early = b""
    try:
        early = client.recv(65536)
        assert early
    except BlockingIOError:
        pass
    client.settimeout(PATIENCE)
    served.pass_time(2)
    # The refusal half-closes; what the client still sends is thrown away until the connection goes.
    assert statuses(early + read_to_end(client)) == answered
    served.pass_time(3)
    assert not served.listener.connections


def test_a_header_that_trickles_in_does_not_put_the_deadline_off(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    for number in range(12):
        client.sendall(b"GET /v1/a HTTP/1.1\r\n"[number : number + 1])
        served.pass_time(1)
    assert statuses(read_to_end(client)) == [408]


def test_a_body_may_take_longer_the_more_of_it_arrives(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    size = 4 * 16384 * 40
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
    for _ in range(4):
        client.sendall(b" " * (size // 4))
        served.pass_time(25)
    assert read_answer(client)[0] == 200


def test_a_client_that_takes_nothing_is_disconnected(serve: Serve) -> None:
    served = serve(lambda exchange: exchange.respond(HttpResponse(200, JSON_HEADERS, b"a" * (32 << 20))))
    client = served.connect()
    client.sendall(get("/v1/a"))
    served.pass_time(1)
    assert served.listener.connections == 1
    served.pass_time(31)
    assert served.listener.connections == 0
    assert len(read_to_end(client)) < 32 << 20


def test_timeouts_can_be_chosen_for_each_listener(serve: Serve) -> None:
    served = serve(timeouts=Timeouts(idle=5))
    client = served.connect()
    client.sendall(get("/v1/a"))
    served.pass_time(6)
    assert statuses(read_to_end(client)) == [200]


def test_a_complete_request_knows_until_when_work_on_it_must_begin(serve: Serve) -> None:
    deadlines: list[float] = []

    def answer(exchange: Exchange) -> None:
        deadlines.append(exchange.request.deadline)
        exchange.respond(HttpResponse(204, ()))

    served = serve(answer, timeouts=Timeouts(wait=7))
    client = served.connect()
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    served.pass_time(5)
    client.sendall(b"}")

    assert read_answer(client)[0] == 204
    assert deadlines == [served.clock.seconds + 7]


@pytest.mark.parametrize("bounds", [Bounds(connections=2), Bounds(connections_per_address=2)], ids=["all", "address"])
def test_connections_beyond_the_bound_are_closed_at_once_and_places_come_back(serve: Serve, bounds: Bounds) -> None:
    served = serve(bounds=bounds)
    first, second, third = (served.connect() for _ in range(3))
    assert read_to_end(third) == b""
    first.close()
    served.settle()
    for client in (second, served.connect()):
        client.sendall(get("/v1/a"))
        assert read_answer(client)[0] == 200


def test_incomplete_bodies_together_cannot_take_more_memory_than_allowed(serve: Serve) -> None:
    served = serve(bounds=Bounds(buffered_bytes=1_100_000))
    part = b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b" " * 900_000
    first, second = served.connect(), served.connect()
    first.sendall(part)
    served.settle()
    second.sendall(part)
    status, headers, _ = read_answer(first)
    assert (status, headers["retry-after"]) == (429, "1")
    second.sendall(b" " * 100_000)
    assert read_answer(second)[0] == 200


def test_whoever_fills_the_memory_and_falls_silent_keeps_nobody_else_from_sending(serve: Serve) -> None:
    served = serve(bounds=Bounds(buffered_bytes=1_000_000))
    part = b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b" " * 490_000
    hoarders = [served.connect() for _ in range(2)]
    for hoarder in hoarders:
        hoarder.sendall(part)
    served.settle()
    client = socket.create_connection(served.address, timeout=PATIENCE, source_address=("127.0.0.2", 0))
    served.stack.enter_context(client)
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b" " * 99_999)
    served.settle()
    client.sendall(b" ")
    assert read_answer(client)[0] == 200


def test_what_came_fast_does_not_allow_for_a_longer_silence(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 700000\r\n\r\n" + b" " * 600_000)
    served.pass_time(29)
    client.sendall(b" ")
    served.pass_time(2)
    assert read_answer(client)[0] == 408


class SlowReader:
    """Has the server send ``size`` bytes, through buffers of the system as small as they can be."""

    def __init__(self, served: Served, size: int = 32 << 20) -> None:
        self.client = served.stack.enter_context(socket.socket())
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.client.settimeout(PATIENCE)
        self.client.connect(served.address)
        self.client.sendall(get(f"/v1/{size}"))
        served.settle()


def answer_with_as_much(exchange: Exchange) -> None:
    exchange.respond(HttpResponse(200, JSON_HEADERS, b"a" * int(exchange.request.target.rpartition("/")[2])))


def test_answers_that_are_not_taken_cannot_take_more_memory_than_allowed(serve: Serve) -> None:
    served = serve(answer_with_as_much, bounds=Bounds(buffered_bytes=100 << 20))
    for _ in range(3):
        SlowReader(served)
    assert served.listener.connections == 3
    SlowReader(served)
    assert served.listener.connections == 3


def test_whoever_takes_an_answer_in_sips_is_disconnected(serve: Serve) -> None:
    served = serve(answer_with_as_much)
    slow = SlowReader(served)
    for _ in range(12):
        slow.client.recv(4096)
        served.pass_time(5)
    assert served.listener.connections == 0


class OutOfDescriptors(socket.socket):
    """A listening socket that cannot accept at first, as when the process has too many files open."""

    failures = 1

    def accept(self) -> tuple[socket.socket, Any]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


def test_running_out_of_descriptors_is_waited_for_and_not_spun_on(serve: Serve) -> None:
    def add(listener: Listener) -> tuple[str, int]:
        listening = OutOfDescriptors()
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listener.add_socket(listening)
        name = listening.getsockname()
        return str(name[0]), int(name[1])

    served = serve(add=add)
    client = served.connect()
    client.sendall(get("/v1/a"))
    served.settle()
    assert served.paths == []
    served.pass_time(1)
    assert read_answer(client)[0] == 200


def reset(client: socket.socket) -> None:
    """Break the connection the hard way."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize(
    "sent", [b"", get("/v1/a")[:-1], get("/v1/a"), b"GET\n"], ids=["idle", "head", "answer", "refused"]
)
def test_a_client_that_breaks_its_connection_costs_nobody_else_anything(serve: Serve, sent: bytes) -> None:
    served = serve(lambda exchange: exchange.respond(HttpResponse(200, JSON_HEADERS, b"a" * (16 << 20))))
    client = served.connect()
    client.sendall(sent)
    served.settle()
    reset(client)
    served.settle()
    assert served.listener.connections == 0
    assert served.failures == []


def test_addresses_of_one_ipv6_network_are_counted_together(serve: Serve) -> None:
    try:
        served = serve(add=lambda listener: listener.add_tcp("::1", 0), bounds=Bounds(connections_per_address=1))
    except OSError:
        pytest.skip("this machine has no IPv6")
    first, second = served.connect(), served.connect()
    assert read_to_end(second) == b""
    first.sendall(get("/v1/a"))
    assert read_answer(first)[0] == 200


def test_what_a_client_does_not_take_is_kept_where_it_is_counted(serve: Serve) -> None:
    served = serve(answer_with_as_much)
    slow = SlowReader(served)
    ends = [f"0100007F:{name[1]:04X}" for name in (served.address, slow.client.getsockname())]
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    waiting = [int(line[4].partition(":")[0], 16) for line in lines if line[1:3] == ends]
    assert len(waiting) == 1
    assert 0 < waiting[0] < 1 << 20
