"""From responses to bytes."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from types import MappingProxyType

from strongroom.http.message import HttpResponse

JSON_HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
"""The headers of nearly every answer. Using this very object spares building them."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# What a client reads that speaks HTTP where TLS is spoken; the words are those of Go's server, which people search for.
SPEAK_TLS = (
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"Client sent an HTTP request to an HTTPS server.\n"
)

_JSON_BLOCK = b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_STATUS_LINES = MappingProxyType(
    {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
)


def serialize(
    response: HttpResponse, *, date: bytes, keep_alive: bool, without_body: bool, request_id: str = ""
) -> bytes:
    """``response`` as bytes. ``without_body`` (an answer to HEAD) says how long the body would be, and leaves it out.
    ``request_id``, which is ours and plain, becomes a header.

    Raises ValueError where a header could not stand on one line, which is a mistake of ours.
    """
    status = response.status
    line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
    block = _JSON_BLOCK if response.headers is JSON_HEADERS else _header_block(response.headers)
    ending = b"" if keep_alive else b"Connection: close\r\n"
    if request_id:
        ending = b"X-Request-Id: %b\r\n%b" % (request_id.encode(), ending)
    if status in {204, 304}:
        return b"%b%bDate: %b\r\n%b\r\n" % (line, block, date, ending)
    body = response.body
    shown = b"" if without_body else body
    return b"%b%bDate: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (line, block, date, ending, len(body), shown)


def http_date(seconds: int) -> bytes:
    """``seconds`` since the epoch in the form of the Date header."""
    return formatdate(seconds, usegmt=True).encode()


def _header_block(headers: tuple[tuple[str, str], ...]) -> bytes:
    lines: list[str] = []
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise ValueError("a response header holds characters that cannot be sent")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode()
