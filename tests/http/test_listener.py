from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.http.conftest import PATIENCE, Serve, echo, get, read_answer, read_to_end, statuses

from strongroom.http.listener import Listener
from strongroom.http.message import HttpResponse
from strongroom.http.parser import Limits
from strongroom.http.shared import Exchange
from strongroom.http.writer import JSON_HEADERS


def test_requests_on_one_connection_are_answered_one_after_the_other(serve: Serve) -> None:
    client = serve().connect()
    for name in ("a", "b", "c"):
        client.sendall(get(f"/v1/{name}"))
        status, headers, body = read_answer(client)
        assert (status, body) == (200, b'{"operation":"read","path":"%b","body":{}}' % name.encode())
        assert headers["content-type"] == "application/json"
        assert headers["cache-control"] == "no-store"
        assert headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_pipelined_requests_are_all_answered_in_order(serve: Serve) -> None:
    served = serve()
    received = served.exchange(b"".join(get(f"/v1/{number}") for number in range(50)))
    assert statuses(received) == [200] * 50
    assert served.paths == [f"/v1/{number}" for number in range(50)]


def test_requests_that_are_ready_together_reach_the_application_together(serve: Serve) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow_first(exchange: Exchange) -> None:
        if not started.is_set():
            started.set()
            assert go_on.wait(PATIENCE)
        echo(exchange)

    served = serve(slow_first)
    first, *others = [served.connect() for _ in range(9)]
    served.settle()
    first.sendall(get("/v1/first"))
    assert started.wait(PATIENCE)
    for other in others:
        other.sendall(get("/v1/other"))
    go_on.set()
    assert [read_answer(client)[0] for client in (first, *others)] == [200] * 9
    assert served.batches == [1, 8]


def test_a_client_that_only_stops_sending_still_gets_its_answer(serve: Serve) -> None:
    assert statuses(serve().exchange(get("/v1/a"))) == [200]


def test_connection_close_is_honoured_and_announced(serve: Serve) -> None:
    client = serve().connect()
    client.sendall(get("/v1/a", "Connection: close"))
    received = read_to_end(client)
    assert statuses(received) == [200]
    assert b"\r\nConnection: close\r\n" in received


def test_an_answer_may_come_later_from_another_thread(serve: Serve) -> None:
    threads: list[threading.Thread] = []

    def later(exchange: Exchange) -> None:
        threads.append(threading.Thread(target=echo, args=[exchange]))
        threads[-1].start()

    served = serve(later)
    received = served.exchange(b"".join(get(f"/v1/{number}") for number in range(20)))
    assert statuses(received) == [200] * 20
    for thread in threads:
        thread.join(PATIENCE)


def test_a_slow_answer_does_not_hold_up_other_clients(serve: Serve) -> None:
    kept: list[Exchange] = []

    def keep_slow(exchange: Exchange) -> None:
        if exchange.request.target == "/v1/slow":
            kept.append(exchange)
        else:
            echo(exchange)

    served = serve(keep_slow)
    slow, quick = served.connect(), served.connect()
    slow.sendall(get("/v1/slow") + get("/v1/next"))
    served.settle()
    quick.sendall(get("/v1/quick"))
    assert read_answer(quick)[0] == 200
    assert served.paths == ["/v1/slow", "/v1/quick"]
    kept[0].respond(HttpResponse(202, JSON_HEADERS, b"{}"))
    assert read_answer(slow)[0] == 202
    assert read_answer(slow)[0] == 200


def test_an_answer_to_a_client_that_has_gone_is_dropped(serve: Serve) -> None:
    kept: list[Exchange] = []
    served = serve(kept.append)
    client = served.connect()
    client.sendall(get("/v1/a"))
    served.settle()
    client.close()
    kept[0].respond(HttpResponse(200, JSON_HEADERS, b"{}"))
    served.settle()
    assert served.failures == []


def test_a_request_cannot_be_answered_twice(serve: Serve) -> None:
    refused: list[RuntimeError] = []

    def twice(exchange: Exchange) -> None:
        echo(exchange)
        try:
            echo(exchange)
        except RuntimeError as error:
            refused.append(error)

    client = serve(twice).connect()
    client.sendall(get("/v1/a"))
    assert read_answer(client)[0] == 200
    assert len(refused) == 1


def test_an_exception_of_the_application_answers_500_without_its_text_and_the_service_goes_on(serve: Serve) -> None:
    def fail(exchange: Exchange) -> None:
        if exchange.request.target == "/v1/bad":
            raise KeyError("s3cr3t-canary")
        echo(exchange)

    served = serve(fail)
    client = served.connect()
    client.sendall(get("/v1/bad"))
    status, _, body = read_answer(client)
    assert (status, body) == (500, b'{"errors":["internal error"]}')
    client.sendall(get("/v1/good"))
    assert read_answer(client)[0] == 200
    assert [type(failure) for failure in served.failures] == [KeyError]


def test_an_answer_larger_than_the_socket_arrives_whole(serve: Serve) -> None:
    content = bytes(range(256)) * 65536

    def large(exchange: Exchange) -> None:
        exchange.respond(HttpResponse(200, JSON_HEADERS, content))

    served = serve(large)
    client = served.connect()
    client.sendall(get("/v1/a") + get("/v1/b"))
    served.settle()
    assert [read_answer(client)[2] == content for _ in range(2)] == [True, True]


def test_an_answer_to_head_has_the_length_but_not_the_body(serve: Serve) -> None:
    client = serve(lambda exchange: exchange.respond(HttpResponse(200, JSON_HEADERS, b"{}"))).connect()
    client.sendall(get("/v1/sys/health").replace(b"GET", b"HEAD") + get("/v1/a").replace(b"GET", b"HEAD"))
    received = client.recv(65536)
    while received.count(b"\r\n\r\n") < 2:
        received += client.recv(65536)
    assert received.count(b"Content-Length: 2\r\n") == 2
    assert received.endswith(b"\r\n\r\n")


def test_no_content_has_neither_length_nor_body(serve: Serve) -> None:
    client = serve(lambda exchange: exchange.respond(HttpResponse(204, JSON_HEADERS))).connect()
    client.sendall(get("/v1/a"))
    status, headers, body = read_answer(client)
    assert (status, body) == (204, b"")
    assert "content-length" not in headers


def test_a_header_that_would_split_the_answer_is_never_sent(serve: Serve) -> None:
    bad = HttpResponse(200, (("Location", "a\r\nSet-Cookie: b"),), b"")
    served = serve(lambda exchange: exchange.respond(bad))
    client = served.connect()
    client.sendall(get("/v1/a"))
    status, headers, _ = read_answer(client)
    assert status == 500
    assert "set-cookie" not in headers


def test_continue_is_sent_to_a_client_that_waits_for_it(serve: Serve) -> None:
    client = serve().connect()
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n")
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b'{"a":1}')
    assert read_answer(client)[0] == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(serve: Serve) -> None:
    client = serve(limits=Limits(body_bytes=10)).connect()
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
    status, _, body = read_answer(client)
    assert (status, body) == (413, b'{"errors":["http: request body too large"]}')


def test_stop_finishes_what_is_under_way_and_closes_what_is_not(serve: Serve) -> None:
    kept: list[Exchange] = []
    served = serve(kept.append)
    idle, busy = served.connect(), served.connect()
    busy.sendall(get("/v1/a"))
    served.settle()
    served.listener.stop()
    assert read_to_end(idle) == b""
    echo(kept[0])
    received = read_to_end(busy)
    assert statuses(received) == [200]
    assert b"\r\nConnection: close\r\n" in received
    served.thread.join(PATIENCE)
    assert not served.thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(served.address)


def test_stop_does_not_wait_forever(serve: Serve) -> None:
    served = serve(lambda _: None, stop_seconds=5.0)
    client = served.connect()
    client.sendall(get("/v1/a"))
    served.settle()
    served.listener.stop()
    served.settle()
    served.clock.seconds += 6
    served.listener.call_soon(lambda: None)
    assert read_to_end(client) == b""
    served.thread.join(PATIENCE)
    assert not served.thread.is_alive()


def test_a_timer_calls_back_after_its_delay(serve: Serve) -> None:
    served = serve()
    rung: list[str] = []
    served.listener.call_soon(lambda: served.listener.call_later(5, lambda: rung.append("late")))
    served.listener.call_soon(lambda: served.listener.call_later(3, lambda: rung.append("early")))
    served.pass_time(2)
    assert rung == []
    served.pass_time(2)
    assert rung == ["early"]
    served.pass_time(2)
    assert rung == ["early", "late"]


def unix(path: Path) -> Callable[[Listener], tuple[str, int]]:
    def add(listener: Listener) -> tuple[str, int]:
        listener.add_unix(str(path))
        return str(path), 0

    return add


def test_a_unix_socket_is_served_for_its_owner_only_and_taken_away_at_the_end(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s"
    served = serve(add=unix(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        client.sendall(get("/v1/a"))
        assert read_answer(client)[0] == 200
    served.listener.stop()
    served.thread.join(PATIENCE)
    assert not path.exists()


def test_a_socket_file_of_a_dead_server_is_replaced_and_that_of_a_live_one_is_not(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    serve(add=unix(path))
    with pytest.raises(FileExistsError):
        serve(add=unix(path))
    plain = tmp_path / "file"
    plain.write_text("precious")
    with pytest.raises(FileExistsError):
        serve(add=unix(plain))
    assert plain.read_text() == "precious"


def test_a_call_that_fails_is_reported_and_the_loop_goes_on(serve: Serve) -> None:
    def fail() -> None:
        raise KeyError("x")

    served = serve()
    served.listener.call_soon(fail)
    served.listener.call_soon(lambda: served.listener.call_later(1, fail))
    served.pass_time(2)
    assert [type(failure) for failure in served.failures] == [KeyError, KeyError]
    assert statuses(served.exchange(get("/v1/a"))) == [200]


def test_an_answer_that_comes_after_the_end_has_no_effect(serve: Serve) -> None:
    kept: list[Exchange] = []
    served = serve(kept.append, stop_seconds=0.0)
    served.connect().sendall(get("/v1/a"))
    served.settle()
    served.listener.stop()
    served.thread.join(PATIENCE)
    echo(kept[0])


def test_many_short_connections_leave_nothing_behind(serve: Serve) -> None:
    served = serve()
    for _ in range(200):
        client = served.connect()
        client.sendall(get("/v1/a") + b"GET /v1/half HTTP/1.1\r\n")
        assert read_answer(client)[0] == 200
        client.close()
    served.settle()
    assert served.listener.connections == 0
    assert served.failures == []


def test_an_address_that_is_taken_is_an_error_and_leaves_nothing_open(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    with pytest.raises(OSError, match="in use"):
        serve(add=lambda listener: listener.add_tcp(*served.address))
    with pytest.raises(OSError, match=r".+"):
        serve(add=unix(tmp_path / "no-such-folder" / "s"))


def test_several_sockets_are_served_at_once(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s"

    def add(listener: Listener) -> tuple[str, int]:
        listener.add_unix(str(path))
        return listener.add_tcp("127.0.0.1", 0)

    served = serve(add=add)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        for each in (client, served.connect()):
            each.sendall(get("/v1/a"))
            assert read_answer(each)[0] == 200


def test_the_remote_address_comes_from_the_socket(serve: Serve) -> None:
    seen: list[tuple[str, int]] = []

    def note(exchange: Exchange) -> None:
        seen.append((exchange.request.connection.remote_address, exchange.request.connection.remote_port))
        echo(exchange)

    def add(listener: Listener) -> tuple[str, int]:
        return "127.0.0.1", listener.add_tcp("::", 0)[1]

    served = serve(note, add=add)
    client = served.connect()
    client.sendall(get("/v1/a", "X-Forwarded-For: 192.0.2.1"))
    read_answer(client)
    assert seen == [("127.0.0.1", client.getsockname()[1])]
