"""The forms of a string: itself, and what it says once its encodings are taken off.

Two strings are the same secret if one form of the one is one form of the other. So each side only ever *decodes*: what is stored as base64
and leaks as hex meets in the bytes that both stand for. Both sides must use the same forms, hence `FORMS_VERSION`.
"""

from __future__ import annotations

import binascii
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

FORMS_VERSION = 1
LEAST = 8
"""Bytes of the shortest form. What is shorter stands everywhere, and is guessed at once."""
LARGEST = 64 * 1024
"""Bytes of the longest string that is decoded."""
_LINE = 8 * 1024
"""Bytes of the longest line of which escapes are taken off."""
_DEPTH = 3
_MOST = 24
_LEAST_KEY = 16
"""Bytes that are no text must be so many to be a key and not chance."""


class Form(NamedTuple):
    """One form: its bytes, and the encodings that were taken off, outermost first."""

    data: bytes
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Form {self.names}, {len(self.data)} bytes>"


def forms(data: bytes) -> list[Form]:
    """All forms of `data` that are long enough, itself first, then in order of how much was taken off."""
    if len(data) > LARGEST or not is_decodable(data):
        return [Form(data)] if len(data) >= LEAST else []
    found = {data: Form(data)}
    waiting = [Form(data)]
    for _ in range(_DEPTH):
        deeper: list[Form] = []
        for form in waiting:
            for name, made in _decoded(form.data):
                if made not in found and len(made) >= LEAST and len(found) < _MOST:
                    found[made] = Form(made, (*form.names, name) if name else form.names)
                    deeper.append(found[made])
        if not deeper:
            break
        waiting = deeper
    return [form for form in found.values() if len(form.data) >= LEAST]


# Readable text as base64 shows it: see `decoding/radix.py`. What is no text mixes digits and letters of both cases.
_QUAD = rb"[A-Za-f][AQBRCSDTEUFVGWHXgwhxiyjzk0l1m2n3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_MIXED = rb"(?=[^0-9\n]*[0-9])(?=[^A-Z\n]*[A-Z])(?=[^a-z\n]*[a-z])"
_BASE64_PATTERN = rb"(?:(?=(?:" + _QUAD + rb"){2})|" + _MIXED + rb")[A-Za-z0-9+/_-]{11,}={0,2}"
_HEX_PATTERN = rb"(?:0[xX])?(?:[0-9A-Fa-f]{2}){8,}|[0-9A-Fa-f]{2}([: -])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){6,}"
_CODED = re.compile(rb"\\|\n|&#?\w{1,24};|%(?:[0-9A-Fa-f]{2}|%)|''|\"\"|\$\$|[A-Za-z0-9]\+[A-Za-z0-9]")
_SIGNS = b"\\\n&%'\"$+"
_OTHERS = bytes(code for code in range(256) if code not in _SIGNS)
_DIGITS = re.compile(_HEX_PATTERN + rb"|" + _BASE64_PATTERN)
_DIGIT_LINES = re.compile(rb"^(?:" + _HEX_PATTERN + rb"|" + _BASE64_PATTERN + rb")(?![^\n])", re.MULTILINE)
_DIGIT_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=: "
_NO_SIGNS = bytes(code for code in range(256) if code not in b"\\\n&%'\"$+")
_BASE64 = re.compile(_BASE64_PATTERN)
_HEX = re.compile(rb"(?:0[xX])?((?:[0-9A-Fa-f]{2}){8,})")
_SPLIT_HEX = re.compile(rb"[0-9A-Fa-f]{2}(?:([: -])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){6,}")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|\r?\n|[^\r])")
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r\n": b""}
_WRAPPED = re.compile(rb"[A-Za-z0-9+/_-]{16,}+(?:\s++[A-Za-z0-9+/_-]++)++={0,2}\s*+")
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----(.*?)-----END \1-----", re.DOTALL)
_DOUBLED = ((b"''", b"'"), (b'""', b'"'), (b"$$", b"$"), (b"%%", b"%"), (b"'\\''", b"'"))
_ALPHABET = bytes.maketrans(b"-_", b"+/")
_NOT_BASE64 = bytes(
    code for code in range(256) if not (chr(code).isascii() and chr(code).isalnum()) and code not in b"+/"
)
_BLANKS = b" \t\r\n"
_OPENERS = b"{[-" + _BLANKS
_OPENINGS = tuple(bytes([code]) for code in _OPENERS)
_CLOSINGS = tuple(bytes([code]) for code in _BLANKS)


def is_decodable(data: bytes) -> bool:
    """Whether `data` may have a form besides itself: most strings have none, and this is told quickly."""
    if data.translate(None, _OTHERS) and _CODED.search(data):
        return True
    if (data[:1] in _OPENERS and _is_framed(data)) or data[-1:] in _BLANKS:
        return True
    return b" " not in data[:32] and _DIGITS.fullmatch(data) is not None


def decodable_among(tokens: Iterable[bytes]) -> set[bytes]:
    """Those of `tokens` that may have a form besides themselves, as `is_decodable` tells of each.

    Thousands are looked at together, as lines of one text: a call for each would take most of the time.
    """
    lines = list(tokens)
    found = {token for token in lines if b"\n" in token}
    if found:
        lines = [token for token in lines if token not in found]
    text = b"\n".join(lines)
    signs = text.translate(None, _NO_SIGNS).split(b"\n")
    others = text.translate(None, _DIGIT_SIGNS).split(b"\n")
    found.update([token for token, some in zip(lines, signs, strict=False) if some and _CODED.search(token)])
    digits = b"\n".join([token for token, some in zip(lines, others, strict=False) if not some])
    found.update([match[0] for match in _DIGIT_LINES.finditer(digits)])
    found.update([token for token in lines if token.startswith(_OPENINGS) and _is_framed(token)])
    found.update([token for token in lines if token.endswith(_CLOSINGS)])
    return found


def _is_framed(data: bytes) -> bool:
    """Whether what begins as JSON, PEM or a blank does could be it to its end."""
    first = data[:1]
    if first in b"{[":
        return data.rstrip(_BLANKS)[-1:] == (b"}" if first == b"{" else b"]")
    return first != b"-" or data.startswith(b"-----")


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.translate(None, _OTHERS) or data[:1] in _OPENERS or data[-1:] in _BLANKS:
        # What escapes its characters escapes its line breaks too: whole files need not be read for that.
        for name, decode in _OF_LAYOUT if b"\n" in data or len(data) > _LINE else (*_OF_LAYOUT, *_OF_CHARACTERS):
            made = decode(data)
            if made is not None and made != data:
                yield name, made
    if (digits := _from_hex(data) or _from_base64(data)) is not None:
        yield digits


def _trimmed(data: bytes) -> bytes:
    return data.strip(_BLANKS)


def _lines(data: bytes) -> bytes | None:
    """Lines as they are without what they were indented by together, and with plain ends."""
    if b"\n" not in data:
        return None
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    blanks = [len(line) - len(line.lstrip(b" \t")) for line in lines if line.strip()]
    common = min(blanks, default=0)
    return b"\n".join(line[common:] if line.strip() else b"" for line in lines).strip(b"\n")


def _pem(data: bytes) -> bytes | None:
    """A block of PEM (RFC 7468) however it is wrapped, indented or quoted: its label, and its characters."""
    found = _PEM.fullmatch(data.strip(_BLANKS)) if b"-----BEGIN " in data else None
    return None if found is None else b"PEM " + found[1] + b"\n" + found[2].translate(None, _NOT_BASE64)


def _json(data: bytes) -> bytes | None:
    """An object or a list of JSON (RFC 8259) in one spelling."""
    bare = data.strip(_BLANKS)
    if (bare[:1], bare[-1:]) not in {(b"{", b"}"), (b"[", b"]")}:
        return None
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")


def _unescaped(data: bytes) -> bytes | None:
    return _ESCAPE.sub(_escape, data) if b"\\" in data else None


def _escape(found: re.Match[bytes]) -> bytes:
    what = found[1]
    if len(what) == 5:
        return chr(int(what[1:], 16)).encode(errors="replace")
    if len(what) == 3:
        return bytes([int(what[1:], 16) if what[:1] == b"x" else int(what, 8)])
    return _LETTERS.get(what, what)


def _unpercented(data: bytes) -> bytes | None:
    return _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), data) if b"%" in data else None


def _form_field(data: bytes) -> bytes | None:
    return (
        _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), data.replace(b"+", b" ")) if b"+" in data else None
    )


def _entities(data: bytes) -> bytes | None:
    if b"&" not in data or b";" not in data:
        return None
    return html.unescape(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _undoubled(data: bytes) -> bytes | None:
    for doubled, single in _DOUBLED:
        data = data.replace(doubled, single)
    return data


def _unwrapped(data: bytes) -> bytes | None:
    """Digits of base64 that were broken into lines, as one."""
    return data.translate(None, _BLANKS) if b"\n" in data and _WRAPPED.fullmatch(data) else None


_Coding = tuple[str, Callable[[bytes], bytes | None]]
_OF_LAYOUT: tuple[_Coding, ...] = (("", _trimmed), ("", _lines), ("", _pem), ("", _json), ("", _unwrapped))
_OF_CHARACTERS: tuple[_Coding, ...] = (
    ("escapes", _unescaped),
    ("percent", _unpercented),
    ("form field", _form_field),
    ("html", _entities),
    ("doubled", _undoubled),
)


def _from_hex(data: bytes) -> tuple[str, bytes] | None:
    found = _HEX.fullmatch(data)
    if found:
        return _if_meant("hex", bytes.fromhex(found[1].decode()))
    if _SPLIT_HEX.fullmatch(data):
        return _if_meant("hex", bytes.fromhex(re.sub(rb"[: -]", b"", data).decode()))
    return None


def _from_base64(data: bytes) -> tuple[str, bytes] | None:
    if not _BASE64.fullmatch(data):
        return None
    digits = data.rstrip(b"=").translate(_ALPHABET)
    if len(digits) % 4 == 1:
        return None
    try:
        return _if_meant("base64", binascii.a2b_base64(digits + b"=" * (-len(digits) % 4)))
    except binascii.Error:
        return None


def _if_meant(name: str, made: bytes) -> tuple[str, bytes] | None:
    """What a word that was no encoding decodes to is neither text nor long: nothing."""
    return (name, made) if is_text(made) or len(made) >= _LEAST_KEY else None


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters, apart from line breaks and tabs."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return text.isprintable() or text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
