"""One question over HTTP to an address that was checked, and one answer: bounded in bytes, in time and in patience."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from strongroom.scanner.watch.failures import FeedFailed
from strongroom.scanner.watch.hosts import Origin, Target

TIMEOUT = 20.0
"""Seconds that a connection, and each part of an answer, may take."""
DEADLINE = 120.0
"""Seconds that an answer may take in all: who sends a byte now and then would hold us for ever."""
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. Names of `headers` are in lower case. `is_cut` says that the body was longer than wanted, and is its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    is_cut: bool = False


class Incoming:
    """An answer that is being read: its status, its headers in lower case, and its body as it comes."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.getheaders()}

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes; none at the end. Raises http.client.IncompleteRead where the other side broke off."""
        part = self._response.read(min(size, _PIECE) if size >= 0 else _PIECE)
        if not part and size and self._response.length:
            raise http.client.IncompleteRead(b"")  # it closed before its end: what came is not all
        return part


@dataclass(frozen=True, slots=True)
class Caller:
    """Speaks HTTP/1.1. Knows no proxies, no cookies, no redirects."""

    timeout: float = TIMEOUT
    deadline: float = DEADLINE
    context: ssl.SSLContext | None = None

    def call(self, target: Target, addresses: Sequence[str], headers: Mapping[str, str], most: int) -> Answer:
        """Ask for `target` at the first of `addresses` that can be reached, for at most `most` bytes. Raises FeedFailed."""
        with self.answering(target, addresses, headers) as incoming:
            parts: list[bytes] = []
            left = most + 1
            while left > 0 and (part := incoming.read(left)):
                parts.append(part)
                left -= len(part)
            body = b"".join(parts)
            return Answer(incoming.status, incoming.headers, body[:most], is_cut=len(body) > most)

    @contextmanager
    def answering(self, target: Target, addresses: Sequence[str], headers: Mapping[str, str]) -> Iterator[Incoming]:
        """Ask for `target` at the first of `addresses` that can be reached, and give what comes. Raises FeedFailed, also for what fails while it is read."""
        origin = target.origin
        try:
            with (
                self._connected(origin, addresses) as connection,
                _Deadline(connection, self.deadline),
                _asked(connection, target, headers) as response,
            ):
                yield Incoming(response)
        except ssl.SSLError:
            raise FeedFailed(f"{origin.host} could not prove who it is, or speaks no TLS") from None
        except TimeoutError:
            raise FeedFailed(f"{origin.host} did not answer in time") from None
        except (OSError, http.client.HTTPException, ValueError):
            raise FeedFailed(f"{origin.host} could not be asked, or broke off") from None

    def _connected(self, origin: Origin, addresses: Sequence[str]) -> socket.socket:
        error = OSError("no address")
        for address in addresses:
            try:
                plain = socket.create_connection((address, origin.port), self.timeout)
            except OSError as failure:
                error = failure
                continue
            if origin.scheme == "http":
                return plain
            context = self.context or ssl.create_default_context()
            try:
                return context.wrap_socket(plain, server_hostname=origin.host)
            except BaseException:
                plain.close()
                raise
        raise error


class _Deadline:
    """Cuts a connection when its time is over, and raises TimeoutError then: what came before the cut may look like an end."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._is_over = False
        self._connection = connection
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._is_over:
            raise TimeoutError

    def _cut(self) -> None:
        self._is_over = True
        try:
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already


def _asked(connection: socket.socket, target: Target, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    client = http.client.HTTPConnection(target.origin.host, target.origin.port)
    client.default_port = 443 if target.origin.scheme == "https" else 80  # what the Host header leaves out
    client.auto_open = 0  # it never connects by itself, to whatever the name resolves to by then
    client.sock = connection
    client.request("GET", target.path, headers={"Accept-Encoding": "identity", "Connection": "close", **headers})
    return client.getresponse()
