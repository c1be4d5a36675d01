"""PDF: the text of pages, metadata, links and attachments through pypdf, within a time; and every compressed stream by itself.

The second way needs no page tree: it finds what pypdf passes over, and what is in files that pypdf cannot read.
"""

from __future__ import annotations

import re
import signal
import threading
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Member, Opening, Stream, label

if TYPE_CHECKING:
    from pypdf import PdfReader

Result = TypeVar("Result")
_PAGES = 5000
_STREAMS = 20_000
_STREAM_BYTES = 16 << 20
_BEGIN = re.compile(rb"stream\r?\n")
_SHOWN = re.compile(
    rb"\(((?:[^()\\]|\\.){0,4000})\)|<([0-9A-Fa-f\s]{2,8000})>|(T[jJ*dDm]|'|\"|ET)(?![A-Za-z])", re.DOTALL
)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)


class _Expired(BaseException):
    """The time is up. No Exception: pypdf goes on after most of those."""


class _Watch:
    """Runs what may take too long, and ends it when the time for all of it together is up; only in a process's main thread can it."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns. Raises DamagedContainer when the time is up, or for whatever it raises."""
        if self._left <= 0:
            raise DamagedContainer("reading it took too long: the rest was read without its structure")
        try:
            if threading.current_thread() is threading.main_thread():
                return self._timed(work)
            return work()
        except _Expired:
            self._left = 0
            raise DamagedContainer("reading it took too long: the rest was read without its structure") from None
        except Exception:  # noqa: BLE001 -- pypdf raises anything for a hostile file, down to AttributeError
            raise DamagedContainer("it is damaged or encrypted: some of it was read without its structure") from None

    def _timed(self, work: Callable[[], Result]) -> Result:
        def expire(_number: int, _frame: object) -> None:
            raise _Expired

        before = signal.signal(signal.SIGALRM, expire)
        try:
            signal.setitimer(signal.ITIMER_REAL, self._left, 0.2)
            try:
                return work()
            finally:
                self._left = signal.setitimer(signal.ITIMER_REAL, 0)[0] if self._left > 0 else 0
        finally:
            signal.signal(signal.SIGALRM, before)


def open_pdf(stream: Stream, opening: Opening) -> Iterator[Member]:
    """Pages, metadata, links, attachments; then the streams that are no page's text, or all of them if pypdf failed."""
    data = stream.read(opening.limits.whole_bytes + 1)
    if len(data) > opening.limits.whole_bytes:
        raise DamagedContainer(f"not opened: it is longer than {opening.limits.whole_bytes >> 20} MiB")
    is_read = True
    try:
        yield from _structured(data, opening)
    except DamagedContainer as damage:
        is_read = False
        opening.complain(str(damage))
    yield from _streams(data, is_read=is_read)


def _structured(data: bytes, opening: Opening) -> Iterator[Member]:
    try:
        import logging

        from pypdf import PdfReader
    except ImportError:
        raise DamagedContainer("PDF files are read without their structure here: install strongroom[scanner]") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it warns of, we report
    watch = _Watch(opening.limits.seconds)
    reader = watch.run(lambda: PdfReader(BytesIO(data)))
    if watch.run(lambda: reader.is_encrypted and not reader.decrypt("")):
        raise DamagedContainer("it is encrypted: most of it could not be read")
    pages = watch.run(lambda: len(reader.pages))
    for number in range(min(pages, _PAGES)):
        text = watch.run(lambda number=number: _page(reader, number))  # type: ignore[misc]  # mypy cannot infer a default's type
        yield Member(f"page {number + 1}", BytesIO(text), is_text=True)
    metadata = watch.run(lambda: "\n".join(f"{key}: {value}" for key, value in (reader.metadata or {}).items()))
    yield Member("metadata", BytesIO(metadata.encode("utf-8", "replace")), is_text=True)
    for name, content in watch.run(lambda: _attachments(reader)):
        yield Member(label(name), BytesIO(content))


def _page(reader: PdfReader, number: int) -> bytes:
    page = reader.pages[number]
    links = []
    for reference in page.get("/Annots") or ():
        note = reference.get_object()
        links += [str(note[key]) for key in ("/Contents", "/V") if key in note]
        action = note.get("/A")
        action = action.get_object() if action is not None else {}
        links += [str(action[key]) for key in ("/URI", "/JS") if key in action]
    text = page.extract_text()
    return "\n".join([text, *links]).encode("utf-8", "replace")


def _attachments(reader: PdfReader) -> list[tuple[str, bytes]]:
    return [(name, content) for name, contents in reader.attachments.items() for content in contents]


def _streams(data: bytes, *, is_read: bool) -> Iterator[Member]:
    position, number = 0, 0
    while number < _STREAMS and (found := _BEGIN.search(data, position)):
        number += 1
        end = data.find(b"endstream", found.end())
        position = end if end >= 0 else len(data)
        unpacked = _inflated(data[found.end() : position])
        if not unpacked:
            continue
        is_page = b"BT" in unpacked and (b"Tj" in unpacked or b"TJ" in unpacked)
        if is_page and is_read:
            continue
        yield Member(f"stream {number}", BytesIO(_shown_text(unpacked) if is_page else unpacked))


def _inflated(data: bytes) -> bytes:
    if data[:1] not in {b"x", b"h", b"H", b"X"}:
        return b""
    engine = zlib.decompressobj()
    parts: list[bytes] = []
    left = _STREAM_BYTES
    for start in range(0, len(data), 512):
        try:
            part = engine.decompress(data[start : start + 512], left)
        except zlib.error:
            break
        parts.append(part)
        left -= len(part)
        if left <= 0 or engine.eof:
            break
    return b"".join(parts)


def _shown_text(content: bytes) -> bytes:
    """The strings that a page shows, joined within one operator; each operator that moves on begins a new line."""
    parts: list[bytes] = []
    for found in _SHOWN.finditer(content):
        if found[1] is not None:
            parts.append(_ESCAPED.sub(_character, found[1]))
        elif found[2]:
            digits = b"".join(found[2].split())
            parts.append(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()))
        elif found[3] not in {b"Tj", b"TJ"}:
            parts.append(b"\n")
    return b"".join(parts)


def _character(found: re.Match[bytes]) -> bytes:
    if found[1].isdigit():
        return bytes([int(found[1], 8) & 255])
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(found[1], found[1])
