"""A listener on a thread of its own, with an application that a test chooses and a clock that it moves."""

from __future__ import annotations

import errno
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from strongroom.encoding import json
from strongroom.http.codec import decode_request
from strongroom.http.errors import encode_error
from strongroom.http.listener import Listener
from strongroom.http.message import HttpResponse
from strongroom.http.shared import Exchange
from strongroom.http.visitors import Visitors
from strongroom.http.writer import JSON_HEADERS
from strongroom.logical.errors import LogicalError

PATIENCE = 30.0


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now_ns(self) -> int:
        return 1_700_000_000_000_000_000

    def monotonic(self) -> float:
        return self.seconds


def echo(exchange: Exchange) -> None:
    """Answer with the path and body that the codec understood."""
    try:
        request = decode_request(exchange.request, request_id="id")
    except LogicalError as error:
        exchange.respond(encode_error(error))
        return
    answer = {"operation": request.operation.value, "path": request.path, "body": dict(request.body)}
    exchange.respond(HttpResponse(200, JSON_HEADERS, json.encode(answer)))


@dataclass
class Served:
    """A running listener. ``paths`` are the targets of all requests that reached the application, in order."""

    listener: Listener
    clock: MovableClock
    address: tuple[str, int]
    thread: threading.Thread
    stack: ExitStack
    paths: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def connect(self) -> socket.socket:
        """A connected socket that is closed when the test ends."""
        return self.stack.enter_context(socket.create_connection(self.address, timeout=PATIENCE))

    def settle(self) -> None:
        """Return when the loop has seen everything that was sent before."""
        for _ in range(4):
            seen = threading.Event()
            self.listener.call_soon(seen.set)
            assert seen.wait(PATIENCE)

    def pass_time(self, seconds: float) -> None:
        """Move the clock, and let the loop notice."""
        self.settle()
        self.clock.seconds += seconds
        self.settle()

    def exchange(self, payload: bytes) -> bytes:
        """Everything that comes back for ``payload`` before the server closes; we stop sending after it."""
        client = self.connect()
        try:
            client.sendall(payload)
            client.shutdown(socket.SHUT_WR)
        except OSError as failure:  # refused, and even closed, before it was read to the end
            if failure.errno not in {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}:
                raise
        return read_to_end(client)


class Serve(Protocol):
    def __call__(self, answer: Callable[[Exchange], None] = echo, /, *, add: Any = None, **settings: Any) -> Served: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start listeners; all are stopped when the test ends. ``add`` adds sockets and returns the address."""
    with ExitStack() as stack:

        def start(answer: Callable[[Exchange], None] = echo, /, *, add: Any = None, **settings: Any) -> Served:
            clock = MovableClock()
            bounds, stop_seconds = settings.pop("bounds", None), settings.pop("stop_seconds", 10.0)

            def application(batch: list[Exchange]) -> None:
                served.batches.append(len(batch))
                for exchange in batch:
                    served.paths.append(exchange.request.target)
                    answer(exchange)

            failures: list[Exception] = []
            listener = Listener(
                application,
                clock,
                visitors=Visitors(bounds, processes=settings.pop("processes", 1)),
                patience=settings.pop("patience", None),
                is_vital=settings.pop("is_vital", None),
                stop_seconds=stop_seconds,
                on_failure=failures.append,
            )
            address = add(listener) if add else listener.add_tcp("127.0.0.1", 0, **settings)
            thread = threading.Thread(target=listener.run, daemon=True)
            served = Served(listener, clock, address, thread, stack.enter_context(ExitStack()), failures=failures)
            thread.start()
            stack.callback(_stop, served)
            return served

        yield start


def _stop(served: Served) -> None:
    served.stack.close()
    if served.thread.is_alive():
        served.listener.stop()
        served.clock.seconds += 1000
        served.listener.call_soon(lambda: None)
        served.thread.join(PATIENCE)
    assert not served.thread.is_alive()


def read_to_end(client: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    received = bytearray()
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            return bytes(received)
        if not piece:
            return bytes(received)
        received += piece


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One answer: status, headers with names in lower case, body. Nothing after it is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = client.recv(1)
        assert piece, "the server closed before it answered"
        head += piece
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    body = bytearray()
    while len(body) < int(headers.get("content-length", "0")):
        piece = client.recv(int(headers["content-length"]) - len(body))
        assert piece, "the server closed in the middle of a body"
        body += piece
    return int(lines[0].split(" ")[1]), headers, bytes(body)


def statuses(received: bytes) -> list[int]:
    """The status codes of all answers in ``received``."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", received)]


def get(path: str, *more: str) -> bytes:
    """A complete GET request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: vault.example", *more, "", ""]).encode()
