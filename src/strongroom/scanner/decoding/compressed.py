"""What is compressed or packed and was found under an encoding, or stands alone in a file: zlib streams, and whatever `containers/` opens."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_to_bytes

from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.decoding.decoded import Decoded, Decoder, Whole, near
from strongroom.scanner.decoding.late import late_pattern
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


def decode_embedded(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """What was compressed and stands within something else: the files that a kernel or a program brings along."""
    done = 0
    for end in ends:
        start = data.rfind(_GZIP, max(0, end - _GZIP_HEADER), end)
        if start < max(done, 1):  # what begins the data is a container, and was opened
            continue
        # What was read once is not read again, also if it came to nothing: headers within it may be many.
        unpacked, done = _inflated(data, start)
        if unpacked:
            yield Decoded(unpacked, Whole(start, done))


def _inflated(data: bytes, start: int) -> tuple[bytes, int]:
    """What the stream at `start` holds, and how far it was read."""
    engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
    left = min(_LARGEST, len(data) * _RATIO + _FREE)
    parts: list[bytes] = []
    position = start
    while position < len(data) and left > 0 and not engine.eof:
        step = data[position : position + (_STEP if position > start else _FIRST_STEP)]
        position += len(step)
        try:
            parts.append(engine.decompress(step, left))
        except zlib.error:
            break
        left -= len(parts[-1])
    return b"".join(parts), max(start + 1, position - len(engine.unused_data))


def decode_deflated(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """Messages of SAML in an address: XML that was deflated (RFC 1951), written in base64, and escaped."""
    done = 0
    for first, last in near(ends, _SAML_SPAN):
        done = max(done, first)
        while done < last and (found := _SAML.search(data, done, min(len(data), last + _SAML_SPAN))):
            run = _SAML_DIGITS.match(data, found.end(), found.end() + _LONGEST_SAML)
            done = run.end() if run else found.end()
            try:
                packed = base64.b64decode(unquote_to_bytes(run[0] if run else b"") + b"==")
                text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _LARGEST_SAML)
            except (ValueError, zlib.error):
                continue
            yield Decoded(text, Whole(found.end(), done))


_GZIP = b"\x1f\x8b\x08"
_GZIP_HEADER = 10
_SAML_SPAN = 16
_LONGEST_SAML = 16 * 1024
_LARGEST_SAML = 1 << 20
_FIRST_STEP = 64
_STEP = 4096
_SAML = late_pattern(rb"SAML(?:Request|Response)=")
_SAML_DIGITS = late_pattern(rb"[A-Za-z0-9+/%=_-]{16,}")

EMBEDDED = Decoder("gzip", rb"\x1f\x8b\x08[\x00-\x1f](?s:.{4})[\x00\x02\x04][\x00-\x0d\xff]", decode_embedded)
DEFLATED = Decoder("deflated", rb"SAML(?:Request|Response)=[A-Za-z0-9+/%]{2}", decode_deflated)
PACKED = Decoder(
    "packed",
    rb"\A(?:PK\x03\x04|7z\xbc\xaf\x27\x1c|BZh[1-9]1AY|\xfd7zXZ\x00|%PDF-1|\x28\xb5\x2f\xfd)",
    decode_packed,
)
ZLIB = Decoder("compressed", rb"\A(?:\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda])", decode_zlib)
