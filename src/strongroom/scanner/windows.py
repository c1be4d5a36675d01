"""Large inputs as windows that overlap, so that memory is bounded and what crosses a border is found once, whole.

The overlap is halved: what begins in its first half belongs to the window before, what begins in its second half to the one after. So
everything that is shorter than half an overlap is seen whole by the window that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from strongroom.scanner.fragment import Fragment

WINDOW = 4 * 1024 * 1024
OVERLAP = 128 * 1024


def fragments_of(
    stream: BinaryIO, path: str, object_id: str = "", window: int = WINDOW, overlap: int = OVERLAP
) -> Iterator[Fragment]:
    """The content of `stream` as one fragment, or as several windows of `window` bytes if it is longer.

    Raises what reading raises. `stream.read(n)` must return `n` bytes unless it is at the end.
    """
    data = stream.read(window)
    following = stream.read(window - overlap) if len(data) == window else b""
    line, column, own_start = 1, 1, 0
    while following:
        own_end = len(data) - overlap // 2
        yield Fragment(path, data, line, object_id, column, own_start, own_end)
        begin = len(data) - overlap
        line, column = _advance(data, begin, line, column)
        own_start = own_end - begin
        data = data[begin:] + following
        following = stream.read(window - overlap) if len(following) == window - overlap else b""
    yield Fragment(path, data, line, object_id, column, own_start)


def windows_of(fragment: Fragment, window: int = WINDOW, overlap: int = OVERLAP) -> Iterator[Fragment]:
    """`fragment` itself, or windows over it if it is longer than `window`."""
    size = len(fragment.data)
    if size <= window:
        yield fragment
        return
    last = size if fragment.own_end is None else fragment.own_end
    line, column, begin, own_start = fragment.line, fragment.column, 0, fragment.own_start
    while True:
        data = fragment.data[begin : begin + window]
        end = begin + len(data)
        own_end = last if end >= size else min(last, end - overlap // 2)
        yield Fragment(fragment.path, data, line, fragment.object_id, column, own_start - begin, own_end - begin)
        if end >= size:
            return
        line, column = _advance(data, window - overlap, line, column)
        begin += window - overlap
        own_start = own_end


def _advance(data: bytes, count: int, line: int, column: int) -> tuple[int, int]:
    """Line and column after `count` bytes of `data` that begins at `line` and `column`."""
    breaks = data.count(b"\n", 0, count)
    if not breaks:
        return line, column + count
    return line + breaks, count - data.rfind(b"\n", 0, count)
