"""Uncovers what is written in another way: base64, escapes, cut literals. Knows where each decoded byte stood; knows no rules and no files."""

from __future__ import annotations

from strongroom.scanner.decoding import base85, compressed, dumps, escapes, interrupted, literals, radix, turned, wide
from strongroom.scanner.decoding.decoded import Decoded, Decoder

__all__ = ["DECODERS", "Decoded", "Decoder"]

DECODERS = (
    radix.BASE64,
    radix.PACKED_BASE64,
    radix.BASE32,
    radix.HEX,
    radix.PACKED_HEX,
    dumps.DUMP,
    dumps.REGISTRY,
    dumps.UUENCODED,
    base85.BASE85,
    base85.PATCH,
    escapes.PERCENT,
    escapes.ESCAPES,
    escapes.ENTITIES,
    escapes.CODES,
    escapes.SPACED_HEX,
    escapes.QUOTED_PRINTABLE,
    escapes.UTF7,
    literals.CONCATENATION,
    literals.CONTINUATION,
    literals.FOLDED,
    literals.UNFOLDED,
    literals.PICKLED,
    literals.LOG_WRAPS,
    literals.TERMINAL,
    literals.JSON_LINES,
    interrupted.TAGS,
    interrupted.INVISIBLE,
    interrupted.FULL_WIDTH,
    interrupted.MARKDOWN,
    interrupted.OVERSTRUCK,
    interrupted.JOINED,
    interrupted.CHARACTERS,
    wide.UTF16_LITTLE,
    wide.UTF16_BIG,
    wide.UTF32_LITTLE,
    wide.UTF32_BIG,
    compressed.ZLIB,
    compressed.PACKED,
    compressed.EMBEDDED,
    compressed.DEFLATED,
    turned.BACKWARDS,
    turned.ROTATED,
)
