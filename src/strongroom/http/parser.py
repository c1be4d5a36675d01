"""From bytes to requests: the strict subset of HTTP/1.1 that our clients speak (RFC 9112).

Whatever two parsers could read in two ways is refused: this is what keeps a second request from hiding inside the first
(SECURITY D-15). After an error the parser is dead: the connection answers once and closes. A request whose body did not arrive
whole is never returned (D-16).
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from hmac import compare_digest
from typing import NamedTuple

from strongroom.http.message import Headers, HttpRequest
from strongroom.logical.request import Connection

HEAD_BYTES_MAX = 32 * 1024
HEADERS_MAX = 100
BODY_BYTES_MAX = 32 * 1024 * 1024
_SAME_LINES_BYTES_MAX = 1024
"""So long header lines are compared with those of the request before; longer ones are not kept in memory for that."""

SINGLE_HEADERS = frozenset(
    {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "transfer-encoding",
        "upgrade",
        "x-vault-namespace",
        "x-vault-request",
        "x-vault-token",
        "x-vault-wrap-ttl",
    }
)
"""Headers that mean something to us or to the framing: one that comes twice is refused, never chosen from or joined."""

# The whole head in one linear match (RFC 9112 3, 5): a token, one blank, visible bytes, one blank, the version; then lines of
# ``token:value``. A bare CR or LF, a folded line, a blank before the colon, NUL and every control byte but TAB fail to match.
_HEAD = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-~]++) HTTP/1\.([01])\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
# What can never become part of a head, so that we need not wait for its end: bare line ends and control bytes.
_NEVER_IN_HEAD = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTENT_LENGTH = re.compile(r"[0-9]{1,19}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_CHUNK_SIZE_START = re.compile(rb"(?:[0-9A-Fa-f]{1,8}\r?)?")
_CHUNK_LINE_BYTES_MAX = 10
_HOST = re.compile(r"[0-9A-Za-z.\-_~%:\[\]]{0,255}")

# A chunk costs us work however small it is, so their number is bounded by what they carry.
_CHUNKS_FREE = 1024
_CHUNK_BYTES_MIN = 64


class Refused(Exception):
    """The bytes are not a request that we accept. ``status`` and ``text`` are the last answer on this connection."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a request may be, in bytes and in header fields."""

    head_bytes: int = HEAD_BYTES_MAX
    headers: int = HEADERS_MAX
    body_bytes: int = BODY_BYTES_MAX


class _Framing(NamedTuple):
    """What the header lines say: how long the body is, or that it is chunked, and whether the connection goes on afterwards."""

    headers: Headers
    length: int
    chunked: bool
    keep_alive: bool


class _Head(NamedTuple):
    """A request whose body is still to come."""

    method: str
    target: str
    framing: _Framing


class RequestParser:
    """Turns the bytes of one connection into requests, one at a time and in order.

    ``feed`` only stores. ``next_request`` returns a complete request, or None where more bytes are needed, or raises Refused.
    ``keep_alive`` says whether the connection may go on after the request that was returned last; ``wants_continue`` that
    the client waits for ``100 Continue`` before it sends a body.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_buffer",
        "_chunk_left",
        "_chunks",
        "_connection",
        "_framing",
        "_head",
        "_limits",
        "_lines",
        "_minor",
        "_scanned",
        "keep_alive",
        "wants_continue",
    )

    def __init__(self, limits: Limits, connection: Connection) -> None:
        self._limits = limits
        self._connection = connection
        self._buffer = bytearray()
        self._scanned = 0
        # The header lines of the last request, with the last digit of its version, and what they say: a client sends the same with each.
        self._lines = self._minor = b""
        self._framing: _Framing | None = None
        self._head: _Head | None = None
        # What it gives in the end is its own memory: a large body is never there twice.
        self._body = io.BytesIO()
        self._body_bytes = 0
        self._chunk_left = 0
        self._chunks = 0
        self.keep_alive = True
        self.wants_continue = False

    @property
    def buffered(self) -> int:
        """How many bytes wait here for the rest of their request."""
        return len(self._buffer) + self._body_bytes

    @property
    def in_body(self) -> bool:
        """The head of a request was read and its body is not complete."""
        return self._head is not None

    def feed(self, received: bytes) -> None:
        """Add what the socket gave."""
        self._buffer += received

    def forget_lines(self) -> None:
        """Forget what the client sends with each of its requests; its token is among it."""
        self._lines, self._framing = b"", None

    def discard(self) -> None:
        """Forget what was stored. The parser must not be used again."""
        self._head = None
        self.forget_lines()
        self._buffer.clear()
        self._body.close()

    def next_request(self) -> HttpRequest | None:
        """The next complete request, or None. Raises Refused, after which the parser must not be used again."""
        head = self._head
        if head is None:
            if not self._buffer:
                return None
            head = self._read_head()
            if head is None:
                return None
        method, target, (headers, length, chunked, keep_alive) = head
        if chunked:
            if not self._read_chunks():
                self._head = head
                return None
            body = self._take_body()
            self._chunks = 0
        elif length == 0:
            body = b""
        elif self._body_bytes == 0 and length <= len(self._buffer):
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
        else:
            self._move_to_body(length - self._body_bytes)
            if self._body_bytes < length:
                self._head = head
                return None
            body = self._take_body()
        self._head = None
        self.wants_continue = False
        self.keep_alive = keep_alive
        return HttpRequest(method, target, headers, body, self._connection)

    def _move_to_body(self, at_most: int) -> None:
        buffer = self._buffer
        count = min(len(buffer), at_most)
        with memoryview(buffer) as received:
            self._body.write(received[:count])
        del buffer[:count]
        self._body_bytes += count

    def _take_body(self) -> bytes:
        body = self._body.getvalue()
        self._body = io.BytesIO()
        self._body_bytes = 0
        return body

    def _read_head(self) -> _Head | None:
        buffer = self._buffer
        limit = self._limits.head_bytes
        end = buffer.find(b"\r\n\r\n", max(0, self._scanned - 3), limit)
        if end < 0:
            # One byte back: whether a CR stands alone is seen only when its successor is there.
            if _NEVER_IN_HEAD.search(buffer, max(0, self._scanned - 1), limit):
                raise Refused(400, "malformed HTTP request head")
            if len(buffer) >= limit:
                raise Refused(431, "http: request header fields too large")
            self._scanned = len(buffer)
            return None
        self._scanned = 0
        match = _HEAD.fullmatch(buffer, 0, end + 4)
        if match is None:
            raise Refused(400, _what_is_wrong(bytes(buffer[: end + 4])))
        method, target, minor, lines = match.groups()
        del match  # it locks the buffer's size
        del buffer[: end + 4]
        framing = self._framing
        # In constant time, since a proxy may send the requests of several clients over one connection.
        if framing is None or self._minor != minor or not compare_digest(self._lines, lines):
            headers = _headers(lines.decode("latin-1"), self._limits.headers)
            framing = self._framed(headers, http_1_1=minor == b"1")
            is_kept = len(lines) <= _SAME_LINES_BYTES_MAX and "expect" not in headers
            self._framing, self._lines, self._minor = (framing, lines, minor) if is_kept else (None, b"", minor)
        text = target.decode("ascii")
        if text[0] != "/":
            text = _origin_form(text, framing.headers.get("host"))
        return _Head(method.decode("ascii"), text, framing)

    def _framed(self, headers: Headers, *, http_1_1: bool) -> _Framing:
        """Decide where the body ends (RFC 9112 6.3) and what the connection does afterwards."""
        host = headers.get("host")
        # Load balancers probe with HTTP/1.0 and no Host, which is allowed there (RFC 9112 3.2).
        if http_1_1 if host is None else not _HOST.fullmatch(host):
            raise Refused(400, "an HTTP/1.1 request needs exactly one valid Host header")
        length, chunked = self._body_framing(headers, http_1_1=http_1_1)
        if "expect" in headers:
            self._expect(headers["expect"], has_body=chunked or length > 0)
        option = headers.get("connection")
        keep_alive = http_1_1 if option is None else _keeps_alive(option, http_1_1=http_1_1)
        return _Framing(headers, length, chunked, keep_alive)

    def _body_framing(self, headers: Headers, *, http_1_1: bool) -> tuple[int, bool]:
        """The body's length, and whether it is chunked instead."""
        length_text = headers.get("content-length")
        encoding = headers.get("transfer-encoding")
        if encoding is not None:
            if length_text is not None:
                raise Refused(400, "a request has a Content-Length or a Transfer-Encoding, never both")
            if encoding.lower() != "chunked" or not http_1_1:
                raise Refused(400, "the only Transfer-Encoding understood is chunked, over HTTP/1.1")
            return 0, True
        if length_text is None:
            return 0, False
        if not _CONTENT_LENGTH.fullmatch(length_text):
            raise Refused(400, "Content-Length must be a decimal number")
        length = int(length_text)
        if length > self._limits.body_bytes:
            raise Refused(413, "http: request body too large")
        return length, False

    def _expect(self, expectation: str, *, has_body: bool) -> None:
        if expectation.lower() != "100-continue":
            raise Refused(417, "the only expectation understood is 100-continue")
        self.wants_continue = has_body and not self._buffer

    def _read_chunks(self) -> bool:
        """Move complete chunks into the body (RFC 9112 7.1). True at the last one. No extensions, no trailers."""
        buffer = self._buffer
        while True:
            if self._chunk_left:
                if not self._read_chunk_data():
                    return False
                continue
            end = buffer.find(b"\r\n", 0, _CHUNK_LINE_BYTES_MAX)
            if end < 0:
                if len(buffer) >= _CHUNK_LINE_BYTES_MAX or not _CHUNK_SIZE_START.fullmatch(buffer):
                    raise Refused(400, "malformed chunked body")
                return False
            if not _CHUNK_SIZE.fullmatch(buffer, 0, end):
                raise Refused(400, "malformed chunked body")
            size = int(buffer[:end], 16)
            if size == 0:
                return self._read_last_chunk(end + 2)
            self._chunks += 1
            if self._body_bytes + size > self._limits.body_bytes:
                raise Refused(413, "http: request body too large")
            if self._chunks > _CHUNKS_FREE + self._body_bytes // _CHUNK_BYTES_MIN:
                raise Refused(400, "the chunks of the body are too small; send larger ones")
            del buffer[: end + 2]
            self._chunk_left = size + 2

    def _read_chunk_data(self) -> bool:
        buffer = self._buffer
        # ``_chunk_left`` counts the line end too: data moves over as it comes, and then the two bytes of the line end are due.
        if self._chunk_left > 2:
            before = self._body_bytes
            self._move_to_body(self._chunk_left - 2)
            self._chunk_left -= self._body_bytes - before
        if self._chunk_left > 2:
            return False
        if not b"\r\n".startswith(bytes(buffer[:2])):
            raise Refused(400, "malformed chunked body")
        if len(buffer) < 2:
            return False
        del buffer[:2]
        self._chunk_left = 0
        return True

    def _read_last_chunk(self, start: int) -> bool:
        buffer = self._buffer
        tail = bytes(buffer[start : start + 2])
        if not b"\r\n".startswith(tail):
            raise Refused(400, "malformed chunked body: trailers are not understood")
        if len(tail) < 2:
            return False
        del buffer[: start + 2]
        return True


def _what_is_wrong(head: bytes) -> str:
    """Why a head is none, where people rather than attackers write such: curl sends a path as it was typed."""
    # The first rule of these is looked at as the bytes come, so it comes first here too.
    if _NEVER_IN_HEAD.search(head) or head.partition(b"\r\n")[0].isascii():
        return "malformed HTTP request head"
    return "the request target holds characters that must be percent-encoded, as UTF-8"


def _headers(text: str, maximum: int) -> Headers:
    lines = text.split("\r\n")
    lines.pop()  # what follows the last line's end
    if len(lines) > maximum:
        raise Refused(431, "http: too many request header fields")
    headers = Headers()
    for line in lines:
        name, _, value = line.partition(":")
        name = name.lower()
        value = value.strip(" \t")
        if name in headers:
            if name in SINGLE_HEADERS:
                raise Refused(400, "a header that may be sent only once was sent twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _origin_form(target: str, host: str | None) -> str:
    """The path of an absolute-form target (RFC 9112 3.2.2), which must name the same host as the Host header."""
    scheme, separator, rest = target.partition("://")
    authority, slash, path = rest.partition("/")
    if not separator or scheme.lower() not in {"http", "https"} or not slash or authority != host:
        raise Refused(400, "the request target must be a path that starts with '/'")
    return "/" + path


def _keeps_alive(option: str, *, http_1_1: bool) -> bool:
    options = {item.strip().lower() for item in option.split(",")}
    if "close" in options:
        return False
    return http_1_1 or "keep-alive" in options
