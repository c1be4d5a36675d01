"""PNG: text chunks that are compressed. Those that are not are read in the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from strongroom.scanner.containers.member import Member, Opening, Stream
from strongroom.scanner.containers.streams import Unpacked, zlib_engine
from strongroom.scanner.containers.tapes import Bounded, exactly

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST_TEXT = 16 << 20


def open_png(stream: Stream, _: Opening) -> Iterator[Member]:
    """The compressed texts: zTXt, iTXt and iCCP chunks (PNG specification, section 11.3.3)."""
    exactly(stream, len(SIGNATURE))
    while header := stream.read(8):
        header += exactly(stream, 8 - len(header))
        content = Bounded(stream, int.from_bytes(header[:4], "big"))
        kind = header[4:]
        if kind in {b"zTXt", b"iTXt", b"iCCP"} and content.left <= _LARGEST_TEXT:
            packed = _packed(kind, exactly(content, content.left))
            if packed:
                yield Member(kind.decode("ascii"), Unpacked(BytesIO(packed), zlib_engine), is_text=True)
        content.skip()
        if kind == b"IEND":
            return
        stream.read(4)


def _packed(kind: bytes, body: bytes) -> bytes:
    """The compressed part of a chunk, behind its keyword; nothing for an international text that is not compressed."""
    rest = body.partition(b"\0")[2]
    if kind != b"iTXt":
        return rest[1:]
    is_packed = rest[:1] == b"\1"
    return rest[2:].partition(b"\0")[2].partition(b"\0")[2] if is_packed else b""


def is_png(head: bytes) -> bool:
    """Whether a picture begins so."""
    return head.startswith(SIGNATURE)
