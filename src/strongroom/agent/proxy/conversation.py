"""One client's connection: reads requests, sends answers, one after the other, with a deadline for everything.

The parser is the server's own: whatever two programs could read in two ways is refused, so that the agent and the server never differ
about where a request ends.
"""

from __future__ import annotations

import socket
from typing import Protocol

from strongroom.agent.proxy.peers import Peer, is_still
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.http.parser import Limits, Refused, RequestParser
from strongroom.http.writer import CONTINUE, JSON_HEADERS, http_date, serialize
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.request import Connection

LIMITS = Limits(body_bytes=4 * 1024 * 1024)
_READ_BYTES = 65536
IDLE_SECONDS = 120.0
HEAD_SECONDS = 10.0
_BODY_BYTES_PER_SECOND = 16 * 1024
WRITE_SECONDS = 30.0


class Host(Protocol):
    """Who answers the requests of a listener. From any thread."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer. Never raises."""
        ...

    def answered(self) -> None:
        """An answer was sent."""
        ...

    def note_refused(self) -> None:
        """Somebody was turned away because of who they are."""
        ...


class Conversation:
    """A connected client. ``run`` ends when either side has had enough; ``close`` ends it from another thread."""

    def __init__(self, connected: socket.socket, peer: Peer, host: Host, clock: Clock) -> None:
        self._socket = connected
        self._peer = peer
        self._host = host
        self._clock = clock
        self._parser = RequestParser(LIMITS, Connection(remote_address=f"uid {peer.uid}"))

    def run(self) -> None:
        """Answer until the end. Whatever the client does ends this conversation and nothing else."""
        try:
            while self._exchange():
                pass
        except OSError:
            pass
        finally:
            self._parser.discard()
            self._socket.close()

    def close(self) -> None:
        """Have ``run`` end soon, whatever it waits for."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _exchange(self) -> bool:
        """One request and its answer; whether the connection goes on."""
        try:
            request = self._receive()
        except Refused as refused:
            self._send(_refusal(refused), keep_alive=False, without_body=False)
            return False
        if request is None:
            return False
        if not is_still(self._peer):
            return False
        keep_alive = self._parser.keep_alive
        self._send(self._host.answer(request), keep_alive=keep_alive, without_body=request.method == "HEAD")
        self._host.answered()
        return keep_alive

    def _receive(self) -> HttpRequest | None:
        """The next request; None where the client has gone, or says nothing for too long. Raises Refused, OSError."""
        deadline = self._clock.monotonic() + IDLE_SECONDS
        began = 0.0
        while (request := self._parser.next_request()) is None:
            if self._parser.buffered or self._parser.in_body:
                now = self._clock.monotonic()
                began = began or now
                deadline = began + HEAD_SECONDS + self._parser.buffered / _BODY_BYTES_PER_SECOND
            if self._parser.wants_continue:
                self._parser.wants_continue = False
                self._socket.sendall(CONTINUE)
            left = deadline - self._clock.monotonic()
            received = self._read(left) if left > 0 else None
            if received is None and began:
                raise Refused(408, "the request took too long to arrive")
            if not received:
                return None
            self._parser.feed(received)
        return request

    def _read(self, seconds: float) -> bytes | None:
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return None

    def _send(self, response: HttpResponse, *, keep_alive: bool, without_body: bool) -> None:
        date = http_date(self._clock.now_ns() // NANOSECONDS)
        self._socket.settimeout(WRITE_SECONDS)
        self._socket.sendall(serialize(response, date=date, keep_alive=keep_alive, without_body=without_body))


def _refusal(refused: Refused) -> HttpResponse:
    import json

    return HttpResponse(refused.status, JSON_HEADERS, json.dumps({"errors": [refused.text]}).encode())
