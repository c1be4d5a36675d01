"""Files in UTF-16 and UTF-32, with a byte order mark or without: the same text in UTF-8, line by line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from strongroom.scanner.containers.member import Member, Opening, Stream

# UTF-32 first: its mark begins like the one of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LEAST = 16
"""Bytes by which a text without a mark can be told."""


def encoding_of(head: bytes) -> str:
    """The encoding of a file that begins with `head`, if it is a wide one; else nothing."""
    if b"\0" not in head:
        # Text without any ASCII character, not even a space or a line break, would pass this unseen.
        return ""
    for mark, encoding in _MARKS:
        if head.startswith(mark) and _is_text(head, encoding):
            return encoding
    if len(head) < _LEAST:
        return ""
    return next((name for name in _candidates(head) if _is_text(head, name)), "")


def _candidates(head: bytes) -> Iterator[str]:
    """Encodings that would explain where the zeros are."""
    columns = [head[column::4].count(0) * 4 >= len(head[: len(head) & ~3]) * 0.9 for column in range(4)]
    if columns == [False, True, True, True]:
        yield "utf-32-le"
    elif columns == [True, True, True, False]:
        yield "utf-32-be"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd * 2 >= len(head) * 0.7 and even * 40 <= len(head):
        yield "utf-16-le"
    elif even * 2 >= len(head) * 0.7 and odd * 40 <= len(head):
        yield "utf-16-be"


def _is_text(head: bytes, encoding: str) -> bool:
    width = 4 if "32" in encoding else 2
    try:
        text = head[: len(head) // width * width].decode(encoding)
    except UnicodeDecodeError as error:
        if error.end < len(head) - 4:
            return False
        text = head[: error.start].decode(encoding, "replace")
    control = sum(letter < " " and letter not in "\t\r\n\f" for letter in text)
    return control * 50 <= len(text)


def is_wide(head: bytes) -> bool:
    """Whether a file that begins so is in a wide encoding."""
    return bool(encoding_of(head))


class _Narrowed:
    """A wide text as UTF-8. What is no character becomes a question mark in a diamond."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        head = stream.read(4096)
        self._decoder = codecs.getincrementaldecoder(encoding_of(head) or "utf-16-le")("replace")
        self._ready = self._decoder.decode(head).encode(errors="replace")

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes; none at the end."""
        wanted = size if size >= 0 else 1 << 20
        while not self._ready and wanted:
            part = self._stream.read(wanted)
            self._ready = self._decoder.decode(part, final=not part).encode(errors="replace")
            if not part:
                break
        given, self._ready = self._ready[:wanted], self._ready[wanted:]
        return given


def open_wide(stream: Stream, _: Opening) -> Iterator[Member]:
    """The text in UTF-8."""
    yield Member("", _Narrowed(stream), is_text=True)
