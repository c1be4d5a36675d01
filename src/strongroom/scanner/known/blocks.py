"""Values of several lines, as they stand in a text: keys in PEM, quoted and indented blocks, here-documents, wrapped digits.

Each function reads its text once: blocks of one kind do not overlap, and what looks like a start without an end is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LARGEST = 64 * 1024
"""Bytes of the longest block."""
_MOST = 200
"""Here-documents in one text: each has an end of its own that must be looked for."""

_BEGIN, _END = b"-----BEGIN ", b"-----END "
_SCALAR = re.compile(rb":[ \t]*(?:&\w{1,40}[ \t]+)?(?:!\S{1,40}[ \t]+)?[|>][-+0-9]{0,2}[ \t]*(?:#[^\n]{0,200}+)?\r?\n")
_HERE = re.compile(rb"<<[-~]?[ \t]{0,8}[\"']?(\w{1,40}+)[\"']?[^\n]{0,200}+\n")
# Possessive throughout, and only from the start of a line on: nothing is read twice.
_DIGITS = re.compile(
    rb"^[ \t]*+((?:[A-Za-z0-9+/_-]{40,}+={0,2}+\r?\n[ \t]*+)++)([A-Za-z0-9+/_-]++={0,2}+)?", re.MULTILINE
)
_FENCES = (b'"""', b"'''", b"```", b"`")


def blocks(data: bytes) -> Iterator[bytes]:
    """Every block in `data`, exactly as it stands there."""
    yield from pem_blocks(data)
    yield from _scalars(data)
    yield from _here_documents(data)
    for fence in _FENCES:
        yield from _fenced(data, fence)
    for found in _DIGITS.finditer(data):
        if len(found[0]) <= LARGEST:
            yield found[1].rstrip()
            if found[2]:
                yield found[1] + found[2]


def pem_blocks(data: bytes) -> Iterator[bytes]:
    """Blocks of PEM (RFC 7468), whatever stands between their lines."""
    start = data.find(_BEGIN)
    while start >= 0:
        label_end = data.find(b"-----", start + len(_BEGIN), start + len(_BEGIN) + 64)
        following = data.find(_BEGIN, start + len(_BEGIN))
        limit = min(start + LARGEST, len(data) if following < 0 else following)
        if label_end >= 0:
            tail = _END + data[start + len(_BEGIN) : label_end] + b"-----"
            end = data.find(tail, label_end, limit)
            if end >= 0:
                yield data[start : end + len(tail)]
        start = following


def _scalars(data: bytes) -> Iterator[bytes]:
    """Block scalars of YAML: the lines below that are indented at least as far as the first."""
    position = 0
    while found := _SCALAR.search(data, position):
        start = position = found.end()
        indent = _indent(data, start)
        end = start
        while indent and end < min(len(data), start + LARGEST):
            line_end = data.find(b"\n", end)
            line_end = len(data) if line_end < 0 else line_end + 1
            if data[end:line_end].strip() and _indent(data, end) < indent:
                break
            end = line_end
        if end > start:
            yield data[start:end].rstrip()
            position = end


def _indent(data: bytes, start: int) -> int:
    line = data[start : start + 200]
    return len(line) - len(line.lstrip(b" \t"))


def _here_documents(data: bytes) -> Iterator[bytes]:
    position = 0
    for _ in range(_MOST):
        found = _HERE.search(data, position)
        if not found:
            return
        position = found.end()
        end = re.compile(rb"^[ \t]*" + found[1] + rb"\b", re.MULTILINE).search(data, position, position + LARGEST)
        if end:
            yield data[position : end.start()].rstrip()
            position = end.end()


def _fenced(data: bytes, fence: bytes) -> Iterator[bytes]:
    """What stands between two fences and has several lines; without the word that may follow the first."""
    if fence not in data:
        return
    for part in data.split(fence)[1:-1]:
        if b"\n" in part and len(part) <= LARGEST:
            yield part.strip()
            first, _, rest = part.partition(b"\n")
            if first.strip(b"\\ \t\r").isalnum() or first.strip() == b"\\":
                yield rest.strip()
