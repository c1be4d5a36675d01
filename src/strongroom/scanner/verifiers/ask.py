"""Asks one provider about one secret, over TLS, once: no redirect is followed, no proxy is used, and no answer is trusted with time or memory."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from strongroom.scanner.verifiers.builtin import HOSTS
from strongroom.scanner.verifiers.verifier import Outcome, State, Verifier

TIMEOUT = 10.0
"""Seconds that a connection, and each part of an answer, may take."""
DEADLINE = 20.0
"""Seconds that a question may take in all."""
MOST = 64 * 1024
"""Bytes of an answer that are read."""

Dial = Callable[[str, float], socket.socket]
"""Connects to port 443 of a host within a time: where tests put their own."""


def dial(host: str, timeout: float) -> socket.socket:
    """A connection to the provider itself."""
    return socket.create_connection((host, 443), timeout)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks providers. `dial` and `context` are the system's, but in tests."""

    dial: Dial = dial
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    timeout: float = TIMEOUT
    deadline: float = DEADLINE

    def ask(self, verifier: Verifier, secret: bytes) -> Outcome:
        """What `verifier`'s provider says of `secret`. Never raises for what the network or the other side does."""
        if verifier.host not in HOSTS:
            return Outcome(State.UNKNOWN, "its host is not in the list of those that may be asked")
        if not secret.isascii() or not secret or not all(33 <= byte <= 126 for byte in secret):
            return Outcome(State.UNKNOWN, "it has characters that no header can carry")
        try:
            status, body = self._answer(verifier, secret.decode("ascii"))
        except ssl.SSLError:
            return Outcome(State.UNKNOWN, f"{verifier.host} could not prove who it is")
        except TimeoutError:
            return Outcome(State.UNKNOWN, f"{verifier.host} did not answer in time")
        except (OSError, http.client.HTTPException, ValueError):
            return Outcome(State.UNKNOWN, f"{verifier.host} could not be asked")
        return _outcome(verifier, status, body)

    def _answer(self, verifier: Verifier, secret: str) -> tuple[int, bytes]:
        with self.dial(verifier.host, self.timeout) as plain:
            plain.settimeout(self.timeout)
            with self.context.wrap_socket(plain, server_hostname=verifier.host) as connected:
                # A timeout of the socket is one of each read: who sends a byte now and then would hold us for ever.
                end = threading.Timer(self.deadline, _cut, [connected])
                end.daemon = True
                end.start()
                try:
                    return _exchange(connected, verifier, secret)
                finally:
                    end.cancel()


def _exchange(connected: socket.socket, verifier: Verifier, secret: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(verifier.host)
    connection.sock = connected
    headers = {"User-Agent": "strongroom", "Accept": "application/json", "Connection": "close"}
    headers |= dict(verifier.headers) | dict(verifier.shows(secret))
    connection.request(verifier.method, verifier.path, body=verifier.body or None, headers=headers)
    lines = _Lines(connected.makefile("rb"))
    answer = http.client.HTTPResponse(connected, method=verifier.method)
    answer.fp.close()
    answer.fp = lines
    answer.begin()
    if lines.last not in {b"\r\n", b"\n"}:
        raise http.client.IncompleteRead(
            b""
        )  # the other side closed before its headers ended: its status proves nothing
    return answer.status, answer.read(MOST)


class _Lines(io.BufferedReader):
    """Remembers the last line that was read of it."""

    last = b""

    def __init__(self, stream: io.BufferedReader) -> None:
        super().__init__(stream.detach())

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


def _cut(connected: socket.socket) -> None:
    try:
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already


def _outcome(verifier: Verifier, status: int, body: bytes) -> Outcome:
    state = verifier.reads(status, body)
    if status == 429:
        return Outcome(State.UNKNOWN, f"{verifier.host} asked to slow down")
    if state is State.DEAD and not verifier.is_only_host:
        return Outcome(State.UNKNOWN, f"{verifier.host} does not know it; another instance or region may")
    return Outcome(state, f"{verifier.host} answered {status}")
