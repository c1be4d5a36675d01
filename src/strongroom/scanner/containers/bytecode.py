"""Compiled Python: its strings, each by itself. In the file, a string touches the letters that stand for its type and its length."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from strongroom.scanner.containers.member import Member, Opening, Stream

_SHORT = frozenset(b"zZ\xda\xfa")
_LONG = frozenset(b"uaAst\xe1\xf5\xf3\xf4\xc1")
_LEAST = 8


def is_bytecode(head: bytes) -> bool:
    """Whether a .pyc begins so: a magic number of two bytes, a line break as both systems write it, and flags below 4."""
    return len(head) > 16 and head[2:4] == b"\r\n" and head[5:8] == b"\0\0\0" and head[4] < 4


def open_bytecode(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The strings of at least eight bytes, a line each: found by type and length, without reading the rest of the format."""
    data = stream.read(opening.limits.whole_bytes)
    yield Member("<strings>", BytesIO(b"\n".join(_strings(data))), is_text=True)


def _strings(data: bytes) -> Iterator[bytes]:
    position, end = 16, len(data)
    while position < end - 5:
        kind = data[position]
        if kind in _SHORT:
            start, size = position + 2, data[position + 1]
        elif kind in _LONG:
            start, size = position + 5, int.from_bytes(data[position + 1 : position + 5], "little")
        else:
            position += 1
            continue
        value = data[start : start + size] if _LEAST <= size <= end - start else b""
        if value and (b"\0" not in value):
            yield value
            position = start + size
        else:
            position += 1
