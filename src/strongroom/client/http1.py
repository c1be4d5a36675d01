"""HTTP/1.1 as bytes: a request written, an answer read (RFC 9112). No sockets here, so every hostile answer is a unit test.

The reader is strict where laxness has bitten others: one framing (a length or chunks, never both), bounded head, bounded
body, no folded lines. Anything else is BadAnswer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from strongroom.client import exact_json
from strongroom.client.errors import BadAnswer, BadSettings, ConnectionFailed

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
_INTERIM_ANSWERS_MAX = 8
_READ_BYTES = 64 * 1024

Receive = Callable[[int], bytes]


class Answer(NamedTuple):
    """What a server answered. Header names are in lower case; of a repeated header the last one stands."""

    status: int
    headers: dict[str, str]
    body: bytes
    reusable: bool = False
    """Whether the connection may carry another request."""

    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object; None where it is empty. Raises BadAnswer for anything else."""
        if not self.body.strip():
            return None
        try:
            value = exact_json.decode(self.body)
        except ValueError:
            raise BadAnswer("the server's answer is not valid JSON") from None
        if not isinstance(value, dict):
            raise BadAnswer("the server's answer is not a JSON object")
        return value

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, body=<{len(self.body)} bytes>)"


def encode_request(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> bytes:
    """The bytes of one request. Raises BadSettings for a header value that would break out of its line."""
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers:
        if not _fits_on_a_line(name) or not _fits_on_a_line(value):
            raise BadSettings(f"the value for the header {name!r} holds characters that no header can carry")
        lines.append(f"{name}: {value}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def quote(text: str, *, safe: str = "/") -> str:
    """``text`` percent-encoded for a path (or, with ``safe=""``, for a query)."""
    kept = _UNRESERVED | frozenset(safe.encode())
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in text.encode("utf-8", "surrogateescape"))


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _fits_on_a_line(text: str) -> bool:
    return text.isprintable() and all(ord(letter) < 256 for letter in text)


class AnswerReader:
    """Reads answers from ``receive(count)``, which returns at most ``count`` bytes and ``b""`` at the end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._buffer = b""

    def read(self, *, bodiless: bool = False) -> Answer:
        """The next final answer. ``bodiless`` for HEAD. Raises BadAnswer, or ConnectionFailed before the first byte."""
        for _ in range(_INTERIM_ANSWERS_MAX):
            version, status, headers = self._read_head()
            if status >= 200:
                break
        else:
            raise BadAnswer("the server sent interim answers without end")
        if bodiless or status in {204, 304}:
            body, framed = b"", True
        else:
            try:
                body, framed = self._read_body(headers)
            except ConnectionFailed as error:
                # The server has acted: this must not look like a connection that may be tried again.
                raise BadAnswer(f"the server's answer was cut short: {error}") from None
        closes = "close" in headers.get("connection", "").lower()
        return Answer(status, headers, body, reusable=framed and version == b"HTTP/1.1" and not closes)

    def _read_head(self) -> tuple[bytes, int, dict[str, str]]:
        head = self._until(b"\r\n\r\n", HEAD_BYTES_MAX, "the head of the server's answer is too long")
        first, *lines = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        digits = rest[:3]
        if version not in {b"HTTP/1.1", b"HTTP/1.0"} or not _is_status(digits) or rest[3:4] not in {b"", b" "}:
            raise BadAnswer("the server does not speak HTTP/1.1 (is this a TLS port, or another service?)")
        return version, int(digits), _headers(lines)

    def _read_body(self, headers: dict[str, str]) -> tuple[bytes, bool]:
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if length is not None or coding.strip().lower() != "chunked":
                raise BadAnswer("the server's answer is framed in a way that cannot be trusted")
            return self._read_chunks(), True
        if length is None:
            return self._read_to_the_end(), False
        if not (length.isascii() and length.isdigit() and len(length) <= 18):
            raise BadAnswer("the server's answer has a malformed length")
        return self._exactly(_bounded(int(length))), True

    def _read_chunks(self) -> bytes:
        parts, total = [], 0
        while True:
            line = self._until(b"\r\n", 1024, "a chunk of the server's answer is malformed")
            size = _chunk_size(line)
            if size == 0:
                break
            total = _bounded(total + size)
            parts.append(self._exactly(size))
            if self._exactly(2) != b"\r\n":
                raise BadAnswer("a chunk of the server's answer is malformed")
        while self._until(b"\r\n", HEAD_BYTES_MAX, "the trailer of the server's answer is too long"):
            pass
        return b"".join(parts)

    def _read_to_the_end(self) -> bytes:
        parts, total = [self._buffer], len(self._buffer)
        self._buffer = b""
        while part := self._receive(_READ_BYTES):
            total = _bounded(total + len(part))
            parts.append(part)
        return b"".join(parts)

    def _until(self, mark: bytes, limit: int, complaint: str) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > limit:
                raise BadAnswer(complaint)
            self._fill()
        if end > limit:
            raise BadAnswer(complaint)
        found, self._buffer = self._buffer[:end], self._buffer[end + len(mark) :]
        return found

    def _exactly(self, count: int) -> bytes:
        parts, missing = [], count
        while missing > 0:
            if not self._buffer:
                self._fill()
            part, self._buffer = self._buffer[:missing], self._buffer[missing:]
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _fill(self) -> None:
        part = self._receive(_READ_BYTES)
        if not part:
            if self._buffer:
                raise BadAnswer("the server's answer was cut short")
            raise ConnectionFailed("the server closed the connection")
        self._buffer += part


def _is_status(digits: bytes) -> bool:
    return len(digits) == 3 and digits.isdigit() and digits[0:1] in b"12345"


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name.strip() != name:
            raise BadAnswer("the head of the server's answer is malformed")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
        if key in {"content-length", "transfer-encoding"} and headers.get(key, text) != text:
            raise BadAnswer("the server's answer is framed in a way that cannot be trusted")
        headers[key] = text
    return headers


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not 1 <= len(digits) <= 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadAnswer("a chunk of the server's answer is malformed")
    return int(digits, 16)


def _bounded(size: int) -> int:
    if size > BODY_BYTES_MAX:
        raise BadAnswer(f"the server's answer is larger than {BODY_BYTES_MAX} bytes")
    return size
