"""From HTTP to the words of the API and back (CONTRACT part 1 §1-2, part 2 B.1).

The path is made canonical here, once; from here on everybody has the same text. What is read of a request is its method, its
target, its body and the few headers named here, and nothing else of HTTP goes on.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from strongroom.encoding import json
from strongroom.http.errors import UnknownMethod
from strongroom.http.message import Headers, HttpRequest, HttpResponse
from strongroom.http.target import parse_query, split_target
from strongroom.http.writer import JSON_HEADERS
from strongroom.logical.backend import Shape
from strongroom.logical.envelope import envelope
from strongroom.logical.errors import InvalidRequest, NotFound, TooLarge, UnsupportedMediaType
from strongroom.logical.instant import parse_duration
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request, Response, SentHeaders
from strongroom.logical.secret import Secret

MERGE_PATCH = "application/merge-patch+json"
FORM = "application/x-www-form-urlencoded"
FORM_BYTES_MAX = 1024 * 1024
"""How large a form may be. What is larger is sent as JSON, which can be told to be too much before it is read."""
INLINE_AUTH = "x-vault-inline-auth-path"
"""Of OpenBao's clients: the path of a login that shall happen before the request, with its parameters in more such headers."""
KEPT_HEADERS = ("accept", "user-agent", "x-forwarded-for", "x-vault-request")
"""The headers that handlers may see, as they came; of the others none but those that an operator audits go on, and only into the records."""

REASON = "x-strongroom-reason"
"""Why a change is made. A protected environment asks for it, and the audit record keeps it in clear."""
REASON_CHARACTERS_MAX = 256

_KEPT_HEADER_CHARACTERS = 512
_NO_PAIR = re.compile(r"(?:\A|&)[^&=]++(?:&|\Z)")
_TOKEN_CHARACTERS_MAX = 8192
# Stands for a token that no store can ever have given out: looked up like any other, found like none.
_IMPOSSIBLE_TOKEN = "invalid"  # noqa: S105 -- the opposite of a secret
_HEAD_PATHS = frozenset({"sys/health"})
# What is asked of the server and not of a namespace, by clients that send the header with everything.
_OF_THE_NODE = frozenset({"sys/health", "sys/seal-status", "sys/leader"})
_OPERATIONS = MappingProxyType(
    {
        "GET": Operation.READ,
        "HEAD": Operation.READ,
        "POST": Operation.UPDATE,
        "PUT": Operation.UPDATE,
        "PATCH": Operation.PATCH,
        "DELETE": Operation.DELETE,
        "LIST": Operation.LIST,
        "HELP": Operation.HELP,
    }
)
_WITH_BODY = frozenset({Operation.UPDATE, Operation.PATCH})
# strconv.ParseBool's spellings, which Vault uses for these parameters.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False", ""})


Admit = Callable[[str, str], None]
"""Told the path and the client's address of a request before its body is read; raises a LogicalError where it may not go on."""


def operation_of(method: str) -> Operation | None:
    """What an HTTP method stands for; None where it stands for nothing."""
    return _OPERATIONS.get(method)


def decode_request(http: HttpRequest, *, request_id: str, admit: Admit | None = None) -> Request:
    """What ``http`` asks for, or the LogicalError that says why it asks for nothing."""
    headers = http.headers
    operation = _OPERATIONS.get(http.method)
    if operation is None:
        raise UnknownMethod
    if INLINE_AUTH in headers:
        # Without this a client that never logs in would hear of a missing permission alone.
        raise InvalidRequest(
            "logging in by the headers of another request is not supported: log in, and send the token"
        )
    path, query = split_target(http.target)
    if admit is not None:
        admit(path.removesuffix("/"), http.connection.remote_address)
    parameters = parse_query(query) if query else {}
    if operation is Operation.READ and parameters:
        operation = _asked_by_parameter(parameters)
    if http.method == "HEAD" and path not in _HEAD_PATHS:
        raise UnknownMethod
    body: Mapping[str, Any]
    if operation in _WITH_BODY:
        if path[-1] == "/":
            raise InvalidRequest("cannot write to a path ending in '/'")
        media_type = headers.get("content-type", "")
        if operation is Operation.PATCH and _media_type(media_type) != MERGE_PATCH:
            if not media_type:
                raise InvalidRequest("mime: no media type")  # the words of Vault, by which clients know it
            raise UnsupportedMediaType(f"PATCH requires Content-Type of {MERGE_PATCH}")
        body = _decode_body(http.body, media_type)
    else:
        path = path.removesuffix("/")
        body = parameters
    said = _said_by(headers)
    return Request(
        request_id,
        operation,
        path,
        body,
        said.token,
        said.wrap_ttl,
        _namespace(said.namespace, path) if said.namespace else "",
        http.connection,
        said.kept,
        said.sent,
        http.method,
        said.reason,
    )


def encode_response(response: Response | None, request: Request | None, shape: Shape) -> HttpResponse:
    """``response`` as HTTP. None, and a response in which nothing is set, are 204."""
    if response is None:
        return _NO_CONTENT
    status = response.status
    if status is not None and not 200 <= status <= 599:
        raise ValueError("a response's status must be final: 200 to 599")
    if response.wrapped_envelope is not None:
        return HttpResponse(status or 200, JSON_HEADERS, response.wrapped_envelope)
    if response.raw is not None and response.wrap_info is None:
        raw = response.raw
        return HttpResponse(status or 200, (("Content-Type", raw.content_type), JSON_HEADERS[1]), raw.content)
    if _says_nothing(response):
        return _NO_CONTENT if status is None else HttpResponse(status, JSON_HEADERS)
    if shape is Shape.BARE and response.wrap_info is None:
        return HttpResponse(status or 200, JSON_HEADERS, json.encode(response.data))
    members = envelope(response, request.id if request else "")
    if shape is Shape.ENVELOPE_AND_TOP_LEVEL and response.data and response.wrap_info is None:
        members.update((name, value) for name, value in response.data.items() if name not in members)
    return HttpResponse(status or 200, JSON_HEADERS, json.encode(members))


_NO_CONTENT = HttpResponse(204, JSON_HEADERS)


def _says_nothing(response: Response) -> bool:
    return response.data is None and not (response.wrap_info or response.auth or response.warnings or response.lease_id)


def _asked_by_parameter(parameters: dict[str, str]) -> Operation:
    """The operation that a GET's ``list`` or ``help`` asks for; both are taken out of ``parameters``."""
    wants_help = _flag(parameters, "help")
    wants_list = _flag(parameters, "list")
    if _flag(parameters, "scan"):
        raise InvalidRequest("scan is not supported: list each folder with ?list=true")
    if wants_help:
        return Operation.HELP
    return Operation.LIST if wants_list else Operation.READ


def _flag(parameters: dict[str, str], name: str) -> bool:
    text = parameters.pop(name, "0")
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidRequest(f"the parameter {name!r} must be true or false")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _decode_body(body: bytes, content_type: str) -> Mapping[str, Any]:
    """A JSON object, told by its first character and not by its type (curl -d says form); or a form."""
    first = body.lstrip(b" \t\r\n")[:1]
    if first == b"":
        return {}
    if first not in {b"{", b"["} and _media_type(content_type) == FORM:
        return _decode_form(body)
    value = json.decode_untrusted(body)
    if value is None:  # how Go's client writes "nothing"
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("failed to decode JSON input: the body must be a JSON object")
    return value


def _decode_form(body: bytes) -> Mapping[str, Any]:
    """A form. What has no ``=`` in it is no form, but something that would become the name of a key and stand in the log in clear."""
    if len(body) > FORM_BYTES_MAX:
        raise TooLarge(f"a form has at most {FORM_BYTES_MAX} bytes; send JSON")
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidRequest("the form holds characters that are not percent-encoded") from None
    if _NO_PAIR.search(text):
        raise InvalidRequest("the body is neither a JSON object nor a form of name=value pairs joined by '&'")
    return parse_query(text)


class _Said(NamedTuple):
    """What the headers of a request say, for as many requests as come with the same."""

    token: Secret[str] | None
    wrap_ttl: int | None
    namespace: str
    kept: Mapping[str, str]
    sent: SentHeaders
    reason: str


def _said_by(headers: Mapping[str, str]) -> _Said:
    if isinstance(headers, Headers) and headers.read is not None:
        known: _Said = headers.read
        return known
    said = _Said(
        _token(headers),
        _wrap_ttl(headers["x-vault-wrap-ttl"]) if "x-vault-wrap-ttl" in headers else None,
        headers.get("x-vault-namespace", ""),
        {name: headers[name][:_KEPT_HEADER_CHARACTERS] for name in KEPT_HEADERS if name in headers},
        SentHeaders(headers),
        _reason(headers[REASON]) if REASON in headers else "",
    )
    if isinstance(headers, Headers):
        headers.read = said
    return said


def _token(headers: Mapping[str, str]) -> Secret[str] | None:
    text = headers.get("x-vault-token")
    if not text:
        scheme, _, text = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        text = text.strip()
        if not text:
            return None
    # What cannot be a token is denied like any unknown one, and takes the same way (SECURITY D-7).
    if len(text) > _TOKEN_CHARACTERS_MAX or not (text.isascii() and text.isprintable()) or " " in text:
        text = _IMPOSSIBLE_TOKEN
    return Secret(text)


def _wrap_ttl(text: str) -> int | None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise InvalidRequest(
            "X-Vault-Wrap-TTL must be a duration: whole seconds, or a form like 30s, 15m, 1h30m"
        ) from None
    if seconds < 0:
        raise InvalidRequest("X-Vault-Wrap-TTL must not be negative")
    return seconds or None


def _reason(text: str) -> str:
    with contextlib.suppress(UnicodeError):  # what is not UTF-8 stays what it is
        text = text.encode("latin-1").decode()
    text = text.strip()
    if len(text) > REASON_CHARACTERS_MAX or not text.isprintable():
        raise InvalidRequest(f"X-Strongroom-Reason has at most {REASON_CHARACTERS_MAX} printable characters")
    return text


def _namespace(text: str, path: str) -> str:
    if text.strip("/") in {"", "root"} or path in _OF_THE_NODE:
        return ""
    raise NotFound("namespace not found")
