"""Compressed streams, unpacked as they are read: bounded, and with everything that precedes a fault."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Protocol

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Chained, Member, Opening, Stream

_READ = 1 << 16
_FEED = 4096
"""Bytes that are unpacked in one step: what a fault can take along, in formats that cannot be retried byte by byte."""


class Engine(Protocol):
    """A decompressor of the standard library, as bz2 has it."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without further input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What followed the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most `max_length` bytes."""
        ...


class ZlibEngine:
    """A zlib decompressor with bz2's interface. `window` chooses the format, as for zlib.decompressobj."""

    def __init__(self, window: int, engine: zlib._Decompress | None = None) -> None:
        self._window = window
        self._engine = engine or zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without further input."""
        return not self._engine.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What followed the end of the stream."""
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most `max_length` bytes."""
        return self._engine.decompress(self._engine.unconsumed_tail + data, max(max_length, 0))

    def twin(self) -> ZlibEngine:
        """Another engine in the same state."""
        return ZlibEngine(self._window, self._engine.copy())


def gzip_engine() -> Engine:
    """RFC 1952."""
    return ZlibEngine(zlib.MAX_WBITS | 16)


def zlib_engine() -> Engine:
    """RFC 1950."""
    return ZlibEngine(zlib.MAX_WBITS)


def deflate_engine() -> Engine:
    """RFC 1951, without a frame."""
    return ZlibEngine(-zlib.MAX_WBITS)


def is_zlib(head: bytes) -> bool:
    """Whether a zlib stream begins so: two bytes of header say little, and the first block must be one."""
    if head[:2] not in {b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"}:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, 1 << 20))
    except zlib.error:
        return False


def zstd_engine() -> Engine:
    """RFC 8878. Raises DamagedContainer where Python has no zstd and the backport is missing."""
    try:
        from backports.zstd import ZstdDecompressor
    except ImportError:
        raise DamagedContainer("zstd is not available here: install the package backports.zstd") from None
    return ZstdDecompressor()


class Unpacked:
    """What a compressed stream holds. Several streams in a row are one, as for gzip.

    A fault ends it, and raises DamagedContainer once all that precedes it was read.
    """

    def __init__(self, stream: Stream, engine: Callable[[], Engine]) -> None:
        self._stream = stream
        self._make = engine
        self._engine = engine()
        self._input = b""
        self._fault = ""
        self._is_begun = False

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes; at most 1 MiB where no size is given. Empty at the end."""
        wanted = size if size >= 0 else 1 << 20
        parts: list[bytes] = []
        while wanted > 0 and (part := self._next(wanted)):
            parts.append(part)
            wanted -= len(part)
        if not parts and self._fault and size:
            raise DamagedContainer(self._fault)
        return b"".join(parts)

    def _next(self, wanted: int) -> bytes:
        while not self._fault:
            if self._engine.eof and not self._restart():
                return b""
            given = b""
            if self._engine.needs_input:
                given = self._more()
                if not given:
                    self._fault = "its compressed data ends too early" if self._is_begun else ""
                    return b""
            if part := self._feed(given, wanted):
                return part
        return b""

    def _more(self) -> bytes:
        self._input = self._input or self._stream.read(_READ)
        given, self._input = self._input[:_FEED], self._input[_FEED:]
        return given

    def _restart(self) -> bool:
        """Whether another compressed stream follows. Anything else behind the end is padding, or a stranger's business."""
        self._input = (self._engine.unused_data + self._input).lstrip(b"\0") or self._stream.read(_READ).lstrip(b"\0")
        self._engine, self._is_begun = self._make(), False
        if not self._input:
            return False
        try:
            self._make().decompress(self._input[:16], 1)
        except Exception:  # noqa: BLE001 -- each library has an error of its own, and all of them mean the same
            self._input = b""
            return False
        return True

    def _feed(self, given: bytes, wanted: int) -> bytes:
        twin = self._engine.twin() if isinstance(self._engine, ZlibEngine) else None
        try:
            part = self._engine.decompress(given, wanted)
        except Exception:  # noqa: BLE001 -- see above
            self._fault = "its compressed data is damaged"
            return _salvage(twin, given, wanted) if twin else b""
        self._is_begun = True
        return part


def _salvage(engine: Engine, given: bytes, wanted: int) -> bytes:
    """What precedes the fault in `given`: byte by byte, for a step that fails gives nothing."""
    parts: list[bytes] = []
    for start in range(len(given) or 1):
        try:
            parts.append(engine.decompress(given[start : start + 1], wanted))
        except Exception:  # noqa: BLE001 -- see above
            break
    return b"".join(parts)


def opener(engine: Callable[[], Engine]) -> Callable[[Stream, Opening], Iterator[Member]]:
    """An opener for one compressed stream, whose content has no name of its own."""

    def open_stream(stream: Stream, _: Opening) -> Iterator[Member]:
        yield Member("", Unpacked(stream, engine))

    return open_stream


def _bzip2_engine() -> Engine:
    import bz2

    return bz2.BZ2Decompressor()


def _xz_engine() -> Engine:
    import lzma

    return lzma.LZMADecompressor()


open_bzip2 = opener(_bzip2_engine)
open_xz = opener(_xz_engine)
open_zstd = opener(zstd_engine)
open_zlib = opener(zlib_engine)

_GZIP_NAME, _GZIP_COMMENT, _GZIP_EXTRA = 8, 16, 4
_GZIP_HEADER = 4096


def open_gzip(stream: Stream, _: Opening) -> Iterator[Member]:
    """What is compressed, and before it the name and the comment that its header carries, where they are long."""
    head = stream.read(_GZIP_HEADER)
    if len(told := _told_by_header(head)) >= _LONG_NAME:
        yield Member("", BytesIO(told), is_text=True)
    yield Member("", Unpacked(Chained(head, stream), gzip_engine))


_LONG_NAME = 20


def _told_by_header(head: bytes) -> bytes:
    """The extra field, the name and the comment in the header of RFC 1952, with line breaks between them."""
    flags, position = head[3] if len(head) > 3 else 0, 10
    if not flags & (_GZIP_NAME | _GZIP_COMMENT | _GZIP_EXTRA):
        return b""
    parts = []
    if flags & _GZIP_EXTRA:
        end = position + 2 + int.from_bytes(head[position : position + 2], "little")
        parts.append(head[position + 2 : end])
        position = end
    for flag in (_GZIP_NAME, _GZIP_COMMENT):
        if flags & flag:
            end = head.find(b"\0", position)
            end = end if end >= 0 else len(head)
            parts.append(head[position:end])
            position = end + 1
    return b"\n".join(parts)
