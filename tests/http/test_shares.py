"""Processes that share a listening socket have about as many clients each."""

from __future__ import annotations

from tests.http.conftest import Serve, get, read_answer


def test_who_has_more_than_its_share_leaves_the_next_client_to_a_sibling_for_a_moment(serve: Serve) -> None:
    served = serve(processes=2)
    for _ in range(4):
        served.connect()
    served.settle()
    assert served.listener.connections == 3
    served.pass_time(0.01)
    assert served.listener.connections == 4  # nobody else took it


def test_each_client_is_left_to_the_siblings_once(serve: Serve) -> None:
    served = serve(processes=2)
    clients = [served.connect() for _ in range(12)]
    for _ in range(12):
        served.pass_time(0.01)
    assert served.listener.connections == 12
    for client in clients:
        client.sendall(get("/v1/a"))
        assert read_answer(client)[0] == 200


def test_where_the_siblings_have_as_many_nobody_waits(serve: Serve) -> None:
    served = serve(processes=2)
    for _ in range(10):
        served.listener.visitors.admit("192.0.2.1")
    for _ in range(11):
        served.connect()
    served.settle()
    assert served.listener.connections == 11


def test_the_only_process_takes_everybody_at_once(serve: Serve) -> None:
    served = serve()
    for _ in range(20):
        served.connect()
    served.settle()
    assert served.listener.connections == 20
