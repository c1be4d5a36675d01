"""The way to the server: some connections that are kept and taken in turns, each call within a deadline."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from strongroom.agent.proxy.calls import Call, NotForwarded
from strongroom.client.errors import BadSettings, ClientError, ConnectionFailed
from strongroom.client.http1 import Answer, encode_request
from strongroom.client.settings import Settings
from strongroom.client.transport import Connection, make_tls, parse_address
from strongroom.logical.ambient import Clock

if TYPE_CHECKING:
    import ssl

CALLS_MAX = 16
"""How many calls are under way at once; others wait."""
_REPEATABLE = frozenset({"GET", "HEAD", "LIST"})


class Upstream:
    """Sends calls to the server of ``settings``. From any thread."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._address = parse_address(settings.address)
        self._clock = clock
        self._idle: list[Connection] = []
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(CALLS_MAX)
        self._tls: ssl.SSLContext | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"Upstream({self._address.origin})"

    @property
    def timeout_seconds(self) -> float:
        """How long a call may take."""
        return self._settings.timeout_seconds

    def send(self, call: Call, token: str) -> Answer:
        """The server's answer to ``call`` with ``token``, which may be ``""``. Raises NotForwarded where there is none."""
        content = self._encode(call, token)
        if not self._places.acquire(timeout=self._settings.timeout_seconds):
            raise NotForwarded(503, "too many requests are under way; try again")
        try:
            return self._exchange(call, content)
        except ConnectionFailed:
            raise NotForwarded(502, "the server does not answer the agent") from None
        except ClientError:
            raise NotForwarded(502, "the server's answer to the agent cannot be used") from None
        finally:
            self._places.release()

    def close(self) -> None:
        """Close what is kept. Calls that are under way end by themselves."""
        with self._turn:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, call: Call, content: bytes) -> Answer:
        deadline = self._clock.monotonic() + self._settings.timeout_seconds
        kept = self._take()
        if kept is not None:
            try:
                return self._over(kept, call, content, deadline)
            except ConnectionFailed:
                # The server may have closed an idle connection at the very moment; what changes nothing is tried anew.
                # A server that says nothing has had its time.
                if call.method not in _REPEATABLE or self._clock.monotonic() >= deadline:
                    raise
        fresh = Connection(self._address, self._context(), self._settings.tls.server_name, self._clock)
        fresh.open(deadline - self._clock.monotonic())
        return self._over(fresh, call, content, deadline)

    def _over(self, connection: Connection, call: Call, content: bytes, deadline: float) -> Answer:
        try:
            seconds = deadline - self._clock.monotonic()
            answer = connection.exchange(content, seconds, bodiless=call.method == "HEAD")
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, is_reusable=answer.reusable)
        return answer

    def _take(self) -> Connection | None:
        while True:
            with self._turn:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not connection.is_stale():
                return connection
            connection.close()

    def _give_back(self, connection: Connection, *, is_reusable: bool) -> None:
        with self._turn:
            if is_reusable and not self._is_closed and len(self._idle) < CALLS_MAX:
                self._idle.append(connection)
                return
        connection.close()

    def _context(self) -> ssl.SSLContext | None:
        if self._address.scheme != "https":
            return None
        with self._turn:
            if self._tls is None:
                self._tls = make_tls(self._settings.tls)
            return self._tls

    def _encode(self, call: Call, token: str) -> bytes:
        headers = [("Host", self._address.authority), ("X-Vault-Request", "true"), *call.headers]
        if self._settings.namespace and not any(name == "x-vault-namespace" for name, _ in call.headers):
            headers.append(("X-Vault-Namespace", self._settings.namespace))
        if token:
            headers.append(("X-Vault-Token", token))
        try:
            return encode_request(call.method, self._address.prefix + call.target, headers, call.body)
        except (BadSettings, UnicodeError):
            raise NotForwarded(400, "a header holds characters that cannot be sent on") from None
