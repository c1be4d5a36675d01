"""The forms in which a value may turn up in a program's output: as it is, and as the usual encoders write it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

SHORTEST = 8
"""Fewer bytes than these turn up by chance; masking them would hide what is no secret, and tell what is."""

PIECE = 64
"""A long form is looked for in pieces of about this size, so that a part of it is found too and little is held back."""


_LINE_WIDTHS = (64, 76)
"""Where encoders of base64 break lines: PEM, and MIME with most programs."""


def forms(value: str) -> set[bytes]:
    """Every text that stands for ``value``: none shorter than SHORTEST, long ones in pieces. Empty for a short value."""
    content = value.encode("utf-8", "surrogatepass")
    if len(content) < SHORTEST:
        return set()
    found: set[bytes] = set()
    for form in _forms(value, content):
        found.update(piece for piece in _pieces(form) if len(piece) >= SHORTEST)
    return found


def _forms(value: str, content: bytes) -> Iterator[bytes]:
    yield content
    yield from _lines(content)
    yield from _base64(content)
    yield content.hex().encode()
    yield content.hex().upper().encode()
    yield from _percent(content)
    yield from _json(value)
    yield from _shell(content)


def _lines(content: bytes) -> Iterator[bytes]:
    # Programs print keys and certificates line by line, with something before each line.
    lines = content.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines)
        yield content.replace(b"\r\n", b"\n")
        yield content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _base64(content: bytes) -> Iterator[bytes]:
    """Base64 in both alphabets, alone and within something longer, where it may start at each of three offsets."""
    whole = base64.b64encode(content)
    inner = [whole, whole.rstrip(b"=")]
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + content)
        # Only letters that depend on nothing but the value: those at both ends may hold bits of what is around it.
        first = (offset * 8 + 5) // 6
        last = (offset + len(content)) * 8 // 6
        inner.append(encoded[first:last])
    for width in _LINE_WIDTHS:
        if len(whole) > width:
            inner += [whole[at : at + width] for at in range(0, len(whole), width)]
    for form in inner:
        yield form
        yield form.replace(b"+", b"-").replace(b"/", b"_")


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _percent(content: bytes) -> Iterator[bytes]:
    """Percent-encoding: strict and with the characters that some encoders leave, in both cases, and as forms have it."""
    for kept in (
        _UNRESERVED,
        _UNRESERVED | frozenset(b"/"),
        _UNRESERVED | frozenset(b"!'()*"),
        _UNRESERVED | frozenset(b"!$&'()*+,;=:@/?"),
    ):
        for digits in ("%{:02X}", "%{:02x}"):
            form = "".join(chr(byte) if byte in kept else digits.format(byte) for byte in content).encode()
            yield form
            yield form.replace(b"%20", b"+")


def _json(value: str) -> Iterator[bytes]:
    """Within a JSON string: with and without letters beyond ASCII, with and without an escaped slash or HTML's characters."""
    for ascii_only in (True, False):
        form = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield form.encode("utf-8", "surrogatepass")
        yield form.replace("/", "\\/").encode("utf-8", "surrogatepass")
        for_html = form.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        yield for_html.encode("utf-8", "surrogatepass")
        # JSON within JSON, as structured logs have it.
        yield json.dumps(form)[1:-1].encode("utf-8", "surrogatepass")


_PLAIN_FOR_A_SHELL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_")
_ANSI_C = {
    7: b"\\a",
    8: b"\\b",
    9: b"\\t",
    10: b"\\n",
    11: b"\\v",
    12: b"\\f",
    13: b"\\r",
    27: b"\\E",
    39: b"\\'",
    92: b"\\\\",
}


def _shell(content: bytes) -> Iterator[bytes]:
    """As a shell would have it typed: in single quotes, in double quotes, with backslashes, and as ``$'…'``."""
    yield content.replace(b"'", b"'\\''")
    yield content.replace(b"'", b"'\"'\"'")
    double = content
    for letter in (b"\\", b'"', b"$", b"`"):
        double = double.replace(letter, b"\\" + letter)
    yield double
    yield b"".join(
        bytes([byte]) if byte in _PLAIN_FOR_A_SHELL or byte > 127 else b"\\" + bytes([byte]) for byte in content
    )
    yield b"".join(_ANSI_C.get(byte, bytes([byte])) for byte in content)


def _pieces(form: bytes) -> Iterator[bytes]:
    if len(form) < 2 * PIECE:
        yield form
        return
    count = len(form) // PIECE
    for number in range(count):
        yield form[number * PIECE : (number + 1) * PIECE if number < count - 1 else len(form)]
