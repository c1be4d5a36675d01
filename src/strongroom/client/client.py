"""The client: one method per verb of the API, over a connection that is kept.

Retries are those of Vault's Go client: connection errors, 412, 429 and 5xx but 501, ``max_retries`` times, a second or so
apart. One redirect is followed with its body, never from https to http.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

from strongroom.client import exact_json
from strongroom.client.errors import ApiError, BadAnswer, ConnectionFailed
from strongroom.client.http1 import Answer, encode_request, quote
from strongroom.client.settings import Settings
from strongroom.client.transport import Address, Connection, make_tls, parse_address
from strongroom.logical.ambient import Clock, SystemClock
from strongroom.logical.secret import Secret

if TYPE_CHECKING:
    import ssl

MERGE_PATCH = "application/merge-patch+json"
_RETRY_WAIT_SECONDS = (1.0, 1.5)
_RETRY_AFTER_SECONDS_MAX = 10
_REDIRECTS = frozenset({301, 302, 307, 308})


class Call(NamedTuple):
    """One request before it becomes bytes. ``headers`` holds everything but the token."""

    method: str
    address: Address
    target: str
    headers: tuple[tuple[str, str], ...]
    token: Secret[str] | None
    body: bytes | None

    @property
    def url(self) -> str:
        """The full address, as errors show it."""
        return self.address.origin + self.target.removeprefix(self.address.prefix)

    def __repr__(self) -> str:
        return f"Call({self.method} {self.url})"


Preview = Callable[[Call], NoReturn]


class Client:
    """Speaks with one server. Not for several threads at once. Use as a context manager, or ``close`` it."""

    def __init__(
        self,
        settings: Settings,
        *,
        preview: Preview | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.address = parse_address(settings.address)
        self._preview = preview
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._connection: Connection | None = None
        self._tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Client({self.address.origin})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def read(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """GET. None where nothing is there; a 404 that carries data or warnings is given back like an answer."""
        return self._lenient("GET", path, query)

    def list(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """GET with ``list=true``. None where nothing is there."""
        return self._lenient("GET", path, {"list": "true", **(query or {})})

    def write(self, path: str, body: Any = None, *, method: str = "PUT") -> dict[str, Any] | None:
        """PUT ``body`` as JSON. None where the server has nothing to say."""
        return self.request(method, path, body=body).json()

    def patch(self, path: str, body: Any) -> dict[str, Any] | None:
        """PATCH with a merge patch (RFC 7396): a null removes its key."""
        return self.request("PATCH", path, body=body, headers={"Content-Type": MERGE_PATCH}).json()

    def delete(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """DELETE. None where the server has nothing to say."""
        return self.request("DELETE", path, query=query).json()

    def ask(self, path: str) -> dict[str, Any] | None:
        """A GET on the way to the request that was asked for: never wrapped, and sent even when only a preview is wanted."""
        return self._send(self._call("GET", path, None, None, None, wrap=False)).json()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Any request on ``/v1/path``; ``body`` is a JSON value. Raises ApiError from status 400 on, or another ClientError."""
        call = self._call(method, path, body, query, headers, wrap=True)
        if self._preview is not None:
            self._preview(call)
        return self._send(call)

    def _lenient(self, method: str, path: str, query: Mapping[str, str] | None) -> dict[str, Any] | None:
        try:
            return self.request(method, path, query=query).json()
        except ApiError as error:
            if error.status != 404:
                raise
            answer = error.answer
            return dict(answer) if answer and (answer.get("data") or answer.get("warnings")) else None

    def _call(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        *,
        wrap: bool,
    ) -> Call:
        target = f"{self.address.prefix}/v1/{quote(path.lstrip('/'))}"
        if query:
            pairs = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
            target += "?" + "&".join(pairs)
        settings = self.settings
        sent = {"X-Vault-Request": "true", **dict(settings.headers)}
        if settings.namespace:
            sent["X-Vault-Namespace"] = settings.namespace
        if settings.wrap_ttl and wrap:
            sent["X-Vault-Wrap-TTL"] = settings.wrap_ttl
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        content = None if body is None else exact_json.encode(body).encode("utf-8", "surrogatepass")
        return Call(method, self.address, target, tuple(sent.items()), settings.token, content)

    def _send(self, call: Call) -> Answer:
        answer, final = self._send_with_retries(call), call
        if answer.status in _REDIRECTS and self.settings.follow_redirects:
            final = self._redirected(call, answer)
            answer = self._send_with_retries(final)
            if answer.status in _REDIRECTS:
                raise BadAnswer("the server redirects in a circle: more than one redirect for one request")
        if answer.status >= 400:
            raise ApiError(answer.status, final.method, final.url, answer.body, _object_or_none(answer))
        if answer.status >= 300:
            raise BadAnswer(f"the server answered with an unexpected status {answer.status}")
        return answer

    def _send_with_retries(self, call: Call) -> Answer:
        for attempt in range(self.settings.max_retries):
            try:
                answer = self._send_once(call)
            except ConnectionFailed:
                self._sleep(_wait(attempt, None))
                continue
            if not _worth_a_retry(answer.status):
                return answer
            self._sleep(_wait(attempt, answer.headers.get("retry-after")))
        return self._send_once(call)

    def _send_once(self, call: Call) -> Answer:
        request = _encode(call)
        kept = self._connection
        if kept is None or kept.address != call.address or kept.is_stale():
            kept = self._open(call.address)
        return self._exchange(kept, call, request)

    def _open(self, address: Address) -> Connection:
        self.close()
        if address.scheme == "https" and self._tls is None:
            self._tls = make_tls(self.settings.tls)
        tls = self._tls if address.scheme == "https" else None
        connection = Connection(address, tls, self.settings.tls.server_name, self._clock)
        try:
            connection.open(self.settings.timeout_seconds)
        except ConnectionFailed as error:
            raise ConnectionFailed(f"cannot connect to {address.origin}: {error}") from None
        self._connection = connection
        return connection

    def _exchange(self, connection: Connection, call: Call, request: bytes) -> Answer:
        try:
            answer = connection.exchange(request, self.settings.timeout_seconds, bodiless=call.method == "HEAD")
        except ConnectionFailed as error:
            self.close()
            raise ConnectionFailed(f"{call.method} {call.url}: {error}") from None
        except BaseException:
            self.close()
            raise
        if not answer.reusable:
            self.close()
        return answer

    def _redirected(self, call: Call, answer: Answer) -> Call:
        location = answer.headers.get("location", "")
        if location.startswith("/") and not location.startswith("//"):
            address, target = call.address, location
        else:
            address = parse_address(location)
            target = "/" + location.partition("://")[2].partition("/")[2]
            address = Address(address.scheme, address.host, address.port)
        if call.address.scheme == "https" and address.scheme != "https":
            raise BadAnswer("the server redirects from https to plain http, which would show the token")
        if address.scheme == "unix" != call.address.scheme:
            raise BadAnswer("the server redirects to a socket")
        if not target.isascii() or not target.isprintable() or " " in target:
            raise BadAnswer("the server redirects to a malformed address")
        return Call(call.method, address, target, call.headers, call.token, call.body)


def _encode(call: Call) -> bytes:
    headers = [("Host", call.address.authority), ("User-Agent", "strongroom"), *call.headers]
    if call.token is not None:
        headers.append(("X-Vault-Token", call.token.reveal()))
    empty = b"" if call.method in {"PUT", "POST", "PATCH"} else None
    return encode_request(call.method, call.target, headers, call.body if call.body is not None else empty)


def _worth_a_retry(status: int) -> bool:
    return status in {412, 429} or (status >= 500 and status != 501)


def _wait(attempt: int, retry_after: str | None) -> float:
    if retry_after and retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6:
        return float(min(int(retry_after), _RETRY_AFTER_SECONDS_MAX))
    return _RETRY_WAIT_SECONDS[min(attempt, len(_RETRY_WAIT_SECONDS) - 1)]


def _object_or_none(answer: Answer) -> dict[str, Any] | None:
    try:
        return answer.json()
    except BadAnswer:
        return None
