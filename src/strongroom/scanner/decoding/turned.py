"""Strings that programs write backwards, or with letters that are moved by thirteen, so that nobody who reads them sees what they say.

Nothing in such a string gives it away; what turns it back stands beside it.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, Whole, near
from strongroom.scanner.decoding.late import late_pattern

_NEAR = 400
"""Bytes before and behind what turns a string, in which it is looked for."""
_SPAN = 64
_STRINGS = late_pattern(rb"[\"'`]([!#-&(-_a-~]{16,400})(?=[\"'`])")


def _backwards(text: bytes) -> bytes:
    return text[::-1]


def _rotated(text: bytes) -> bytes:
    return codecs.encode(text.decode("latin-1"), "rot13").encode("latin-1")


def _strings_by(turn: Callable[[bytes], bytes]) -> Callable[[bytes, Sequence[int]], Iterator[Decoded]]:
    def decode(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
        """The strings nearby, as `turn` makes them."""
        done = 0
        for first, last in near(ends, _SPAN):
            begin, end = max(done, first - _NEAR), min(len(data), last + _NEAR)
            done = max(done, end)
            for found in _STRINGS.finditer(data, begin, end):
                yield Decoded(turn(found[1]), Whole(*found.span(1)))

    return decode


BACKWARDS = Decoder(
    "backwards",
    rb"(?:\.reverse\(\)\.join\(|\[::-1\]|\bstrrev\(|(?i:StrReverse)\(|\breversed\(|\.reverse\(\)\.toString\()",
    _strings_by(_backwards),
)
ROTATED = Decoder("rot13", rb"(?i:rot_?-?13)", _strings_by(_rotated))
