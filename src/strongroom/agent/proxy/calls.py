"""What of a client's request goes on to the server: what was parsed and is known, written anew, and nothing else.

Headers are taken from a list and not left out by one, so that nothing goes on that only the connection between client and agent is about,
nor anything by which a server could take the client for somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from strongroom.http.message import HttpRequest
from strongroom.http.target import split_target
from strongroom.logical.errors import InvalidRequest, LogicalError

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "LIST"})
_FORWARDED = frozenset({"accept", "content-type", "user-agent"})
_FORWARDED_PREFIXES = ("x-vault-", "x-strongroom-")
_OURS = frozenset({"x-vault-request", "x-vault-token"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_ANSWERED = frozenset({"cache-control", "content-type", "retry-after", "warning", "x-request-id"})
_ANSWERED_PREFIXES = ("x-vault-", "x-ratelimit-")
_OWN = "/agent/v1/"


class NotForwarded(Exception):
    """The proxy answers this itself: ``status`` and ``text``."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Call(NamedTuple):
    """A request as it may go on. ``path`` is that below ``/v1/``, decoded; ``token`` is the client's own, or ``""``."""

    method: str
    target: str
    path: str
    headers: tuple[tuple[str, str], ...]
    token: str
    body: bytes | None

    def __repr__(self) -> str:
        return f"Call({self.method} {self.path})"

    @property
    def is_wrapped(self) -> bool:
        """Whether a wrapped answer is asked for."""
        return any(name == "x-vault-wrap-ttl" for name, _ in self.headers)


def own_path(request: HttpRequest) -> str | None:
    """The path below ``/agent/v1/`` of a request that is for the agent itself; None for all others."""
    path = request.target.partition("?")[0]
    return path.removeprefix(_OWN) if path.startswith(_OWN) else None


def check_origin(request: HttpRequest, *, require_header: bool, hosts: frozenset[str] | None) -> None:
    """Refuse what a browser, or a server that was talked into it, could have sent. Raises NotForwarded.

    ``hosts`` are the names under which a listener on the loopback may be addressed; None for a unix socket.
    """
    headers = request.headers
    if require_header and headers.get("x-vault-request") != "true":
        raise NotForwarded(412, "missing 'X-Vault-Request' header")
    if "origin" in headers:
        raise NotForwarded(403, "pages in browsers may not use this listener")
    if hosts is not None and _host(headers.get("host", "")) not in hosts:
        raise NotForwarded(403, "the Host header must name the loopback")


def read_call(request: HttpRequest) -> Call:
    """What goes on of ``request``. Raises NotForwarded."""
    if request.method not in METHODS:
        raise NotForwarded(405, "this method stands for nothing here")
    if "content-encoding" in request.headers:
        raise NotForwarded(415, "bodies must not be encoded")
    try:
        path, _ = split_target(request.target)
    except InvalidRequest as error:
        raise NotForwarded(400, error.messages[0]) from None
    except LogicalError:
        raise NotForwarded(404, "nothing is served here: the API begins with /v1/") from None
    body = request.body or (b"" if request.method in _WITH_BODY else None)
    return Call(request.method, request.target, path, _forwarded(request.headers), _token(request.headers), body)


def answered_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What of the headers of the server's answer the client gets."""
    return tuple(
        (name.title(), value)
        for name, value in headers.items()
        if (name in _ANSWERED or name.startswith(_ANSWERED_PREFIXES)) and value.isascii() and value.isprintable()
    )


def _forwarded(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    kept = []
    for name, value in sorted(headers.items()):
        if name in _OURS or not (name in _FORWARDED or name.startswith(_FORWARDED_PREFIXES)):
            continue
        if not value.isprintable():
            raise NotForwarded(400, "a header holds characters that cannot be sent on")
        kept.append((name, value))
    return tuple(kept)


def _token(headers: Mapping[str, str]) -> str:
    """The client's token by the server's own rule, so that there is one reading: X-Vault-Token, else a bearer token."""
    text = headers.get("x-vault-token", "")
    if not text:
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        text = rest.strip() if scheme.lower() == "bearer" else ""
    if text and not (text.isascii() and text.isprintable() and " " not in text):
        raise NotForwarded(403, "permission denied")
    return text


def _host(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0].lower()
    return text.partition(":")[0].lower()
