from __future__ import annotations

import socket

import pytest
from tests.http.conftest import PATIENCE, Serve, Served, get, read_answer, read_to_end

from strongroom.http.message import HttpResponse
from strongroom.http.shared import Exchange
from strongroom.http.visitors import Bounds

ANSWER = HttpResponse(200, (), b"here")


def connect_from(served: Served, last: int) -> socket.socket:
    """A connection from 127.0.0.``last``."""
    client = socket.create_connection(served.address, timeout=PATIENCE, source_address=(f"127.0.0.{last}", 0))
    served.stack.enter_context(client)
    served.settle()
    return client


def is_served(client: socket.socket) -> bool:
    try:
        client.sendall(get("/v1/a"))
        return client.recv(1) != b""
    except (ConnectionResetError, BrokenPipeError):
        return False


def test_one_that_has_many_makes_room_until_both_have_as_many(serve: Serve) -> None:
    served = serve(bounds=Bounds(connections=4))
    many = [connect_from(served, 2) for _ in range(4)]
    few = []
    for _ in range(2):
        served.pass_time(1)
        few.append(connect_from(served, 1))
    served.pass_time(1)
    refused = connect_from(served, 1)
    assert read_to_end(refused) == b""
    assert [is_served(client) for client in few] == [True, True]
    assert sorted(is_served(client) for client in many) == [False, False, True, True]
    assert served.listener.visitors.refused == 1


def test_whoever_is_silent_for_longest_goes_first_and_nobody_whose_request_is_worked_on(serve: Serve) -> None:
    waiting: list[Exchange] = []

    def answer(exchange: Exchange) -> None:
        if exchange.request.target == "/v1/slow":
            waiting.append(exchange)
        else:
            exchange.respond(ANSWER)

    served = serve(answer, bounds=Bounds(connections=3))
    busy, idle, recent = (connect_from(served, 2) for _ in range(3))
    busy.sendall(get("/v1/slow"))
    while not waiting:
        served.settle()
    served.pass_time(1)
    recent.sendall(get("/v1/a"))
    assert read_answer(recent)[0] == 200
    assert is_served(connect_from(served, 1))
    waiting[0].respond(ANSWER)
    assert read_answer(busy)[0] == 200
    assert is_served(recent)
    assert read_to_end(idle) == b""


@pytest.mark.parametrize("others", [1, 2])
def test_nobody_gives_a_place_up_for_whoever_has_as_many(serve: Serve, others: int) -> None:
    served = serve(bounds=Bounds(connections=2 * others))
    clients = [connect_from(served, 2) for _ in range(others)] + [connect_from(served, 3) for _ in range(others)]
    for _ in range(others):
        served.pass_time(1)
        late = connect_from(served, 2)
        assert read_to_end(late) == b""
    assert all(is_served(client) for client in clients)
