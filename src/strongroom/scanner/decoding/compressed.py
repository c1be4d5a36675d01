"""What is compressed or packed and was found under an encoding, or stands alone in a file: zlib streams, and whatever `containers/` opens."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.decoding.decoded import Decoded, Decoder, Whole
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem

_LARGEST = 16 << 20
_RATIO = 100
_FREE = 1 << 20
_LIMITS = Limits(depth=4, entries=1000, total_bytes=_LARGEST, free_bytes=_LARGEST, whole_bytes=_LARGEST, seconds=5.0)


def decode_zlib(data: bytes, _: Sequence[int]) -> Iterator[Decoded]:
    """RFC 1950 or RFC 1952, from the first byte on. What follows a fault is lost, what precedes it is not."""
    engine = zlib.decompressobj(zlib.MAX_WBITS | 32)
    left = min(_LARGEST, len(data) * _RATIO + _FREE)
    parts: list[bytes] = []
    # In small steps: a step that fails gives nothing.
    for start in range(0, len(data), 256):
        try:
            part = engine.decompress(data[start : start + 256], left)
        except zlib.error:
            break
        parts.append(part)
        left -= len(part)
        if left <= 0 or engine.eof:
            break
    if unpacked := b"".join(parts):
        yield Decoded(unpacked, Whole(0, len(data)))


def decode_packed(data: bytes, _: Sequence[int]) -> Iterator[Decoded]:
    """An archive or a document: all that it holds, one after the other. Its names are lost, its place is that of the whole."""
    whole = Fragment("-", data)
    if inside := b"\n".join(piece.data for piece in expand(whole, _LIMITS, _ignore) if piece is not whole):
        yield Decoded(inside, Whole(0, len(data)))


def _ignore(_: Problem) -> None:
    """What is within an encoding is read as far as it goes."""


PACKED = Decoder(
    "packed",
    rb"\A(?:PK\x03\x04|7z\xbc\xaf\x27\x1c|BZh[1-9]1AY|\xfd7zXZ\x00|%PDF-1|\x28\xb5\x2f\xfd)",
    decode_packed,
)
ZLIB = Decoder("compressed", rb"\A(?:\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda])", decode_zlib)
