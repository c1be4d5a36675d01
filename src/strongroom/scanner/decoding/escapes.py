"""Single characters that are written as escapes: in addresses, string literals, markup, mail and numeric arrays."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from strongroom.scanner.decoding.decoded import Decoded, Decoder, near, splice
from strongroom.scanner.decoding.late import late_pattern

_REACH = 2048
"""How far before and behind an escape its line is read along, so that a rule sees the name of what holds the value."""


@dataclass(frozen=True, slots=True)
class Replacing:
    """Decodes by exchanging every match of `pattern`, in the lines around each, for what `value` makes of it (None: left alone)."""

    pattern: re.Pattern[bytes]
    value: Callable[[re.Match[bytes]], bytes | None]
    reach: int = _REACH
    span: int = 320
    """Bytes that a match of the gate can be long, and how far behind it the pattern may go on."""

    def __call__(self, data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
        """The decoded lines, region by region."""
        for start, end in self._regions(data, ends):
            yield splice(data, start, end, self._replaced(data, start, end))

    def _replaced(self, data: bytes, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
        for found in self.pattern.finditer(data, start, end):
            new = self.value(found)
            if new is not None:
                yield found.start(), found.end(), new

    def _regions(self, data: bytes, ends: Sequence[int]) -> Iterator[tuple[int, int]]:
        """The lines around what the gate saw, bounded in length; those that touch are one region."""
        start = end = -1
        for found in self._matches(data, ends):
            if found.end() <= end:
                continue
            line_start = self._line_start(data, found.start())
            line_end = self._line_end(data, found.end())
            if start >= 0 and line_start > end + 1:
                yield start, end
                start = -1
            start = line_start if start < 0 else start
            end = max(end, line_end)
        if start >= 0:
            yield start, end

    def _matches(self, data: bytes, ends: Sequence[int]) -> Iterator[re.Match[bytes]]:
        """The first and the last match near each place that the gate saw."""
        for first, last in near(ends, self.span):
            latest = None
            for found in self.pattern.finditer(data, first, min(len(data), last + self.span)):
                if latest is None:
                    yield found
                latest = found
            if latest is not None:
                yield latest

    def _line_start(self, data: bytes, position: int) -> int:
        """Where the line of `position` begins; not further back than the reach."""
        floor = max(0, position - self.reach)
        return data.rfind(b"\n", floor, position) + 1 or floor

    def _line_end(self, data: bytes, position: int) -> int:
        ceiling = min(len(data), position + self.reach)
        found = data.find(b"\n", position, ceiling)
        return found if found >= 0 else ceiling


def _utf8(code: int) -> bytes | None:
    return chr(code).encode() if 0 < code < 0xD800 or 0xDFFF < code < 0x110000 else None


def _percent(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())


_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b'"': b'"', b"'": b"'", b"/": b"/", b"\\": b"\\"}


def _escaped(found: re.Match[bytes]) -> bytes | None:
    if found["octal"]:
        return bytes([int(found["octal"], 8)])
    if found["simple"]:
        return _SIMPLE[found["simple"]]
    return _utf8(int(found["unicode"] or found["braces"] or found["byte"] or found["long"], 16))


def _entity(found: re.Match[bytes]) -> bytes | None:
    text = found[0].decode("ascii")
    character = html.unescape(text)
    return None if character == text else character.encode(errors="replace")


def _code_points(found: re.Match[bytes]) -> bytes:
    return bytes(
        int(number, 0)
        for number in re.findall(rb"0[xX][0-9A-Fa-f]{2}|[1-9][0-9]{1,2}", found[0])
        if int(number, 0) < 256
    )


def _spaced(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(re.sub(rb"[^0-9A-Fa-f]", b"", found[0]).decode())


def _quoted_printable(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode()) if found[1] else b""


def _utf7(found: re.Match[bytes]) -> bytes | None:
    try:
        return found[0].decode("utf-7").encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None


_WORD = rb"[A-Za-z0-9_]"
PERCENT = Decoder(
    "percent",
    rb"(?:" + _WORD + rb"%[2-7][0-9A-Fa-f]" + rb"[A-Za-z0-9_%]|%[3-7][0-9A-Fa-f]%[3-7][0-9A-Fa-f])",
    Replacing(late_pattern(rb"%([2-7][0-9A-Fa-f])"), _percent),
)
ESCAPES = Decoder(
    "escapes",
    rb"(?:\\u00[2-7][0-9A-Fa-f]|\\u\{0{0,4}[2-7][0-9A-Fa-f]\}|\\U000000[2-7][0-9A-Fa-f]"
    rb"|\\x[2-7][0-9A-Fa-f]\\{1,4}x[2-7][0-9A-Fa-f]|\\(?:u001[bB]|x1[bB]|033)\[[0-9;]{0,8}m|[A-Za-z0-9]\\x[2-7][0-9A-Fa-f][A-Za-z0-9]|(?:\\[01][0-7][0-7]){3}"
    rb"|:\\/\\/[^\s\"'@]{3,128}@|[A-Za-z]\\{1,7}\"[ ]?[:=][ ]?\\{1,7}\"|\\[nrt][A-Za-z0-9_-]{20}"
    rb"|[A-Za-z0-9_]{3}\\{1,3}[\"'][ ]{0,4}(?:[+.][ ]{0,4})?(?:\\{1,3}[nr][ ]{0,16}){0,2}(?:[+.][ ]{0,4})?\\{1,3}[\"'][A-Za-z0-9_]{3}"
    rb"|-----BEGIN [A-Z ]{0,24}PRIVATE KEY[A-Z ]{0,8}-----\\{1,2}[nr])",
    Replacing(
        late_pattern(
            rb"\\(?:u(?P<unicode>[0-9A-Fa-f]{4})|u\{(?P<braces>[0-9A-Fa-f]{1,6})\}|U000(?P<long>[0-9A-Fa-f]{5})"
            rb"|x(?P<byte>[0-9A-Fa-f]{2})|(?P<octal>[0-3][0-7][0-7])|(?P<simple>[nrt\"'/\\]))"
        ),
        _escaped,
        reach=8192,
    ),
)
ENTITIES = Decoder(
    "html",
    rb"(?:[A-Za-z0-9_]&(?:#[xX]?[0-9A-Fa-f]{2,6}|lowbar|UnderBar|hyphen|dash|period|colon|sol|equals|num|commat|dollar|plus|excl|amp);[A-Za-z0-9_&]"
    rb"|(?:&#[xX]?[0-9A-Fa-f]{2,6};){3})",
    Replacing(late_pattern(rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,24});"), _entity),
)
CODES = Decoder(
    "character codes",
    rb"(?:(?:0[xX][2-7][0-9A-Fa-f]|3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])(?:,|, |,\r?\n)[ \t]{0,16}){12}",
    Replacing(
        late_pattern(
            rb"(?:0[xX][2-7][0-9A-Fa-f]|3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])"
            rb"(?:,\s{0,64}(?:0[xX][0-9A-Fa-f]{2}|[1-9][0-9]{1,2})){11,}"
        ),
        _code_points,
    ),
    part="digits",
)
SPACED_HEX = Decoder(
    "hex dump",
    rb"(?:[2-7][0-9A-Fa-f][ :-]){12}",
    Replacing(late_pattern(rb"[2-7][0-9A-Fa-f](?:[ :-][2-7][0-9A-Fa-f]){11,}"), _spaced),
    part="digits",
)
QUOTED_PRINTABLE = Decoder(
    "quoted-printable",
    rb"(?:[A-Za-z0-9_.+/-]{4}=\r?\n[A-Za-z0-9_.+/-]{2}|[A-Za-z0-9]=(?:5F|2D|2B|3D|2E|40)[A-Za-z0-9])",
    Replacing(late_pattern(rb"=(?:([2-7][0-9A-F])|\r?\n)"), _quoted_printable),
)
UTF7 = Decoder(
    "utf-7",
    rb"[A-Za-z0-9_=]\+A(?:F8|D0|C0|C[EI0-9]|EA|[A-H][A-Za-z0-9+/])-?[A-Za-z0-9_\"'+]",
    Replacing(late_pattern(rb"\+([A-Za-z0-9+/]{3,64})-?"), _utf7),
)
