"""Base64 that was cut into the items of a list, too short to be known as base64 each by itself: joined, it is read as any other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, near, splice
from strongroom.scanner.decoding.late import late_pattern
from strongroom.scanner.decoding.radix import QUAD

_ITEM = rb"[A-Za-z0-9+/_-]"
_BETWEEN = rb"[\"'`],\s{0,80}[\"'`]"
_LIST = late_pattern(rb"[\"'`]" + _ITEM + rb"{8,64}(?:" + _BETWEEN + _ITEM + rb"{1,64}){1,400}={0,2}[\"'`]")
_CUT = late_pattern(_BETWEEN)
_REACH = 2048
_SPAN = 160


def _decode(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """Each list around what the gate saw, without what stands between its items."""
    done = 0
    for first, last in near(ends, _SPAN):
        begin, end = max(done, first), min(len(data), last + _REACH)
        for found in _LIST.finditer(data, begin, end):
            done = found.end()
            yield splice(data, *found.span(), _cuts(data, found))


def _cuts(data: bytes, found: re.Match[bytes]) -> Iterator[tuple[int, int, bytes]]:
    return ((cut.start(), cut.end(), b"") for cut in _CUT.finditer(data, *found.span()))


PIECES = Decoder(
    "items of a list",
    rb"[\"'`](?:(?:"
    + QUAD
    + rb"){2,5}[\"'`],\s{0,80}[\"'`](?:"
    + QUAD
    + rb"){2,5}|(?:"
    + QUAD
    + rb"){4,5}"
    + _ITEM
    + rb"{0,3}[\"'`],\s{0,80}[\"'`]"
    + _ITEM
    + rb"{12,23})[\"'`]",
    _decode,
)
