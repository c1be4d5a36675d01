"""The text of office documents: XML whose runs are joined, so that a word that is formatted in pieces is whole again.

A tokenizer, and no XML parser: there are no entities to expand, nothing is fetched, and a document that is not well-formed is read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

from strongroom.scanner.containers.member import Member, Opening, Stream

_NAMESPACES = (b"openxmlformats.org/", b"urn:oasis:names:tc:opendocument", b"schemas.microsoft.com/office")
_TOKEN = re.compile(
    rb"<!\[CDATA\[(?P<cdata>[^\]]*(?:\](?!\]>)[^\]]*)*)\]\]>|<!--(?P<comment>[^-]*(?:-(?!->)[^-]*)*)-->"
    rb"|<(?P<close>/?)(?P<name>[A-Za-z_][A-Za-z0-9_.:-]*)(?P<attributes>[^<>]*)>|<[^<>]*>|(?P<text>[^<]+)|<"
)
_ATTRIBUTE = re.compile(rb"([A-Za-z_][A-Za-z0-9_.:-]*)\s*=\s*(?:\"([^\"]{8,})\"|'([^']{8,})')")
_ENTITY = re.compile(rb"&(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));")
_NAMED = {b"lt": b"<", b"gt": b">", b"amp": b"&", b"quot": b'"', b"apos": b"'"}
# Elements behind which another text begins: paragraphs, cells, rows, shared strings, comments, properties. All others are formatting.
_BLOCKS = frozenset(
    b"p h si c row tr tc comment table-cell table-row list-item v f creator title subject description keywords category "
    b"lastModifiedBy Company Manager initial-creator user-defined keyword lpwstr lpstr author definedName instrText".split()
)
_SPACES = {b"tab": b"\t", b"br": b"\n", b"cr": b"\n", b"line-break": b"\n", b"s": b" "}


def is_office_markup(head: bytes) -> bool:
    """Whether this is a part of an office document: XML in one of its vocabularies."""
    return head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and any(name in head for name in _NAMESPACES)


_FEW_LINES = 8
"""Line breaks in a part as programs write it. One with more was laid out for people, and its own lines are what they look for."""


def open_markup(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The text: a line for each paragraph or cell, and then one for each attribute that is long enough to hold a secret.

    A file that was laid out in lines is given as it is, too, and its text keeps those lines.
    """
    data = stream.read(opening.limits.whole_bytes)
    if data.count(b"\n", 0, 1 << 16) < _FEW_LINES:
        yield Member("", BytesIO(text_of(data)), is_text=True)
        return
    yield Member("", BytesIO(data), is_text=True)
    yield Member("", BytesIO(text_of(data, keeps_lines=True)), is_text=True)


def text_of(data: bytes, *, keeps_lines: bool = False) -> bytes:
    """The text of a part, in linear time."""
    parts: list[bytes] = []
    attributes: list[bytes] = []
    between = b"\t" if keeps_lines else b"\n"
    for token in _TOKEN.finditer(data):
        if token["text"]:
            parts.append(_unescaped(token["text"]))
        elif token["name"]:
            parts.append(_of_element(token, between))
            if token["attributes"]:
                attributes += _long_attributes(token["attributes"])
        elif token["cdata"] or token["comment"]:
            parts.append(
                (token["cdata"] or b"")
                + (b"%b%b%b" % (between, token["comment"], between) if token["comment"] else b"")
            )
        if keeps_lines and not token["text"]:
            parts.append(b"\n" * (token[0].count(b"\n") - (token["cdata"] or token["comment"] or b"").count(b"\n")))
    text = b"".join(parts)
    return text if keeps_lines else text.rstrip(b"\n") + b"\n" + b"\n".join(attributes)


def _of_element(token: re.Match[bytes], between: bytes) -> bytes:
    """What a tag means for the text."""
    local = token["name"].rpartition(b":")[2]
    if token["close"] or token["attributes"].endswith(b"/"):
        if local in _BLOCKS:
            return between
        if token["close"]:
            return b""
    space = _SPACES.get(local, b"")
    return between if space == b"\n" else space


def _long_attributes(attributes: bytes) -> Iterator[bytes]:
    for found in _ATTRIBUTE.finditer(attributes):
        name, value = found[1], found[2] or found[3]
        if not name.startswith(b"xmlns") and not any(namespace in value for namespace in _NAMESPACES):
            yield b'%b="%b"' % (name, _unescaped(value))


def _unescaped(text: bytes) -> bytes:
    return _ENTITY.sub(_character, text) if b"&" in text else text


def _character(found: re.Match[bytes]) -> bytes:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code).encode(errors="replace") if 0 < code < 0x110000 else b""
