"""The lines of a log file, as it lies there or compressed by gzip, however long and whatever they are: memory is bounded.

A file can hold anything: a disk that lost its power leaves zeros behind, and who changes a log may leave a line without an end.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

LINE_BYTES_MAX = 256 << 20
"""No record of ours is longer. Of a line that is, the beginning is given."""
_PIECE_BYTES = 1 << 20
_OPENING = b'{"time":"'
_GZIP = b"\x1f\x8b"


class DamagedFile(Exception):
    """A compressed file that ends in its middle, or was changed: there is nothing more to read in it."""


def lines_of(path: Path) -> Iterator[bytes]:
    """Every line with its newline, where it has one. Raises OSError, and DamagedFile after the lines before the damage."""
    with _opened(path) as file:
        try:
            while piece := file.readline(_PIECE_BYTES):
                yield piece if piece.endswith(b"\n") or len(piece) < _PIECE_BYTES else _whole(file, piece)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise DamagedFile from None


def beginning_of(path: Path) -> bytes:
    """The first lines. Nothing of what can be read only once, such as a pipe. Raises OSError."""
    if not stat.S_ISREG(path.stat().st_mode):
        return b""
    with _opened(path) as file:
        try:
            return file.read(_PIECE_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return b""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file, for reading what its lines are."""
    with path.open("rb") as file:
        is_compressed = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
        yield cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb")) if is_compressed else file


def looks_torn(text: bytes) -> bool:
    """Whether ``text`` is the beginning of a record and not a whole one."""
    start = text.find(_OPENING)
    if start < 0:
        return any(text.endswith(_OPENING[:length]) for length in range(1, len(_OPENING)))
    try:
        json.loads(text[start:])
    except (ValueError, RecursionError):
        return True
    return False


def _whole(file: BinaryIO, piece: bytes) -> bytes:
    """The rest of a long line. What does not begin like a record is read and not kept."""
    is_record = _OPENING in piece
    pieces, size = [piece], len(piece)
    while not piece.endswith(b"\n") and (piece := file.readline(_PIECE_BYTES)):
        if is_record and size < LINE_BYTES_MAX:
            pieces.append(piece)
            size += len(piece)
    return b"".join(pieces)
