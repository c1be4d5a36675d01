"""A server that answers with the bytes that a test wrote down, whatever is asked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from strongroom.client.client import Client
from strongroom.client.settings import Settings
from strongroom.logical.secret import Secret


class Script:
    """Answers one request after the other with the given bytes; ``b""`` closes the connection without an answer.

    ``requests`` holds what arrived: the head and the body of each request. ``connections`` counts.
    """

    def __init__(self, listener: socket.socket, answers: list[bytes]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers = answers
        self._listener = listener
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                with connection:
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        while self._answers:
            request = _read_request(connection)
            if request is None:
                return
            self.requests.append(request)
            answer = self._answers.pop(0)
            if not answer:
                return
            connection.sendall(answer)
            if b"Connection: close" in answer:
                return

    def close(self) -> None:
        # A blocked accept wakes only when the socket is shut down.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)


def _read_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


Serve = Callable[..., "tuple[str, Script]"]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(answer, …)`` starts a server and gives its address and its script."""
    scripts: list[Script] = []

    def start(*answers: bytes, unix: str = "") -> tuple[str, Script]:
        if unix:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(unix)
            address = f"unix://{unix}"
        else:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.listen()
        script = Script(listener, list(answers))
        scripts.append(script)
        return address, script

    yield start
    for script in scripts:
        script.close()


Connect = Callable[..., Client]


@pytest.fixture
def connect(serve: Serve) -> Iterator[Connect]:
    """``connect(address, sleeps=[], **settings)`` makes a client with a token, which is closed before the server is."""
    del serve
    with contextlib.ExitStack() as stack:

        def make(address: str, sleeps: list[float] | None = None, **settings: Any) -> Client:
            waits: list[float] = [] if sleeps is None else sleeps
            chosen = Settings(**{"address": address, "token": Secret("s.CANARY-TOKEN"), "max_retries": 0, **settings})
            return stack.enter_context(Client(chosen, sleep=waits.append))

        yield make
