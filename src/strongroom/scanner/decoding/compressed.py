"""What is compressed or packed and was found under an encoding, or stands alone in a file: zlib streams, and whatever `containers/` opens."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, Whole

_LARGEST = 16 << 20
_RATIO = 100
_FREE = 1 << 20


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


ZLIB = Decoder("compressed", rb"\A(?:\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda])", decode_zlib, reach=1 << 30)
