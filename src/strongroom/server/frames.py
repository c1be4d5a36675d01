"""What the processes of one server say to each other: frames over a socket pair that no other process has.

    length (4, big-endian) | kind (1) | payload

A key travels as the raw payload of its frame and is received into a buffer that can be wiped; everything else is MessagePack.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from enum import IntEnum

import msgspec

from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.request import Connection

_HEAD = struct.Struct(">IB")


class Kind(IntEnum):
    """What a frame is."""

    FORWARD = 1
    """Follower to leader: a request to answer."""
    ANSWER = 2
    """Leader to follower: the answer to it."""
    UNSEAL = 3
    """Leader to follower: the root key."""
    SEAL = 4
    """Leader to follower: wipe every key."""
    DONE = 5
    """Follower to leader: the last UNSEAL, SEAL, ROOT_KEY_COMING or ROOT_KEY_SETTLED was followed."""
    STOP = 6
    """Leader to follower: finish what is under way and end. Follower to leader: somebody wants this server to stop."""
    GIVE_UP = 7
    """Follower to leader: the store failed here, so none of us may go on."""
    UNDER_WAY = 8
    """Leader to follower: what are you answering right now? Follower to leader: this."""

    ROOT_KEY_COMING = 9
    """Leader to follower: a root key that may be stored from now on."""
    ROOT_KEY_SETTLED = 10
    """Leader to follower: the store says which root key it is."""
    SCRUB = 11
    """Leader to follower: overwrite what you freed, for answers with shares went through you."""


class ForwardedRequest(msgspec.Struct, array_like=True, frozen=True):
    """A request as a follower's listener took it."""

    number: int
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    remote_address: str
    remote_port: int
    tls_version: str
    client_certificate_der: bytes | None
    deadline: float
    id: str
    shows_metrics: bool

    def __repr__(self) -> str:
        return "<forwarded request>"

    @classmethod
    def of(cls, number: int, http: HttpRequest) -> ForwardedRequest:
        """``http``, to be answered under ``number``."""
        connection = http.connection
        return cls(
            number,
            http.method,
            http.target,
            dict(http.headers),
            http.body,
            connection.remote_address,
            connection.remote_port,
            connection.tls_version,
            connection.client_certificate_der,
            http.deadline,
            http.id,
            connection.shows_metrics,
        )

    def http(self) -> HttpRequest:
        """The request again."""
        connection = Connection(
            remote_address=self.remote_address,
            remote_port=self.remote_port,
            tls_version=self.tls_version,
            client_certificate_der=self.client_certificate_der,
            shows_metrics=self.shows_metrics,
        )
        return HttpRequest(self.method, self.target, self.headers, self.body, connection, self.deadline, self.id)


class UnderWay(msgspec.Struct, array_like=True, frozen=True):
    """A question for what is under way, or the answer to the one of that number."""

    number: int
    requests: dict[str, dict[str, str]] = {}

    def __repr__(self) -> str:
        return "<requests under way>"


class ForwardedAnswer(msgspec.Struct, array_like=True, frozen=True):
    """The answer to the request of that number."""

    number: int
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        return "<forwarded answer>"

    def http(self) -> HttpResponse:
        """The answer again."""
        return HttpResponse(self.status, self.headers, self.body)


class Link:
    """One end of a socket pair. ``send`` may be called from any thread, ``receive`` from one."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = threading.Lock()

    def send(self, kind: Kind, payload: bytes | bytearray = b"") -> None:
        """Send a frame. Raises OSError where the other process is gone."""
        with self._sending:
            self._end.sendall(_HEAD.pack(len(payload), kind))
            if payload:
                self._end.sendall(payload)

    def receive(self) -> tuple[Kind, bytearray] | None:
        """The next frame, or None where the other process is gone."""
        head = self._read(_HEAD.size)
        if head is None:
            return None
        length, kind = _HEAD.unpack(head)
        payload = self._read(length)
        return None if payload is None else (Kind(kind), payload)

    def forget(self) -> None:
        """Close this process's descriptor. Another process that has one too goes on having it."""
        self._end.close()

    def end(self) -> None:
        """Say that nothing more comes: whoever waits in ``receive``, here or there, gets None, and ``send`` fails.

        The descriptor stays until ``forget``: closed now, its number could be somebody else's while a thread still uses it.
        """
        with contextlib.suppress(OSError):  # the other process is gone
            self._end.shutdown(socket.SHUT_RDWR)

    def _read(self, count: int) -> bytearray | None:
        content = bytearray(count)
        view = memoryview(content)
        while view:
            try:
                received = self._end.recv_into(view)
            except OSError:
                return None
            if received == 0:
                return None
            view = view[received:]
        return content
