"""Bytes as tools for people print them: rows of a hex dump with their offsets, values of a registry export."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, near, splice
from strongroom.scanner.decoding.escapes import Replacing
from strongroom.scanner.decoding.late import late_pattern

_PAIRS = rb"(?:[0-9A-Fa-f]{2}[ \t]{0,2}){1,16}"
_ROW = late_pattern(rb"[ \t]{0,8}[0-9A-Fa-f]{4,16}[:h]?[ \t]{1,4}(" + _PAIRS + rb")(?:[ \t|>*].{0,80})?(?:\r?\n|\Z)")
_GATE_SPAN = 96
_LONGEST_ROW = 240


def _rows(data: bytes, position: int) -> Iterator[re.Match[bytes]]:
    """The rows of one dump, the first of which begins at `position`."""
    while row := _ROW.match(data, position):
        yield row
        position = row.end()


def decode_dump(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """What hexdump, od and xxd print: an offset, up to sixteen bytes, and perhaps the same as text. All rows in a row are one."""
    done = 0
    for first, last in near(ends, _GATE_SPAN):
        position = _first_row(
            data, max(done, (data.rfind(b"\n", max(0, first - _GATE_SPAN), first) + 1) or first), done
        )
        while position < min(last, len(data)):
            rows = list(_rows(data, position))
            if not rows:
                following = data.find(b"\n", position, last)
                position = following + 1 if following >= 0 else last
                continue
            position = done = rows[-1].end()
            yield splice(data, rows[0].start(), rows[-1].end(), _bytes_of(rows))


def _first_row(data: bytes, position: int, floor: int) -> int:
    """Where the dump begins that has a row at `position`, not before `floor`: what precedes its first readable row may be anything."""
    while position > floor:
        above = data.rfind(b"\n", max(floor, position - _LONGEST_ROW), position - 1) + 1
        row = _ROW.match(data, max(above, floor)) if above or not floor else None
        if row is None or row.end() != position:
            break
        position = row.start()
    return position


def _bytes_of(rows: list[re.Match[bytes]]) -> Iterator[tuple[int, int, bytes]]:
    for row in rows:
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", row[1])
        yield row.start(), row.end(), bytes.fromhex(digits.decode())


# Eight readable bytes, however they are grouped: whether they stand in a row is seen where they stand.
DUMP = Decoder(
    "rows of a hex dump",
    rb"(?:[2-7][0-9A-Fa-f][ \t]{0,2}){8}",
    decode_dump,
    part="digits",
)


_UU_HEAD = late_pattern(rb"begin [0-7]{3,4} [^\r\n]{1,200}\r?\n")
_UU_LINE = late_pattern(rb"([!-`][ -`]{0,88})\r?(?:\n|\Z)")


def decode_uuencoded(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """What uuencode wrote, from its first line to its last."""
    for first, last in near(ends, _UU_SPAN):
        for head in _UU_HEAD.finditer(data, first, min(last, len(data))):
            yield splice(data, head.end(), head.end(), _uu_lines(data, head.end()))


def _uu_lines(data: bytes, position: int) -> Iterator[tuple[int, int, bytes]]:
    while line := _UU_LINE.match(data, position):
        try:
            decoded = binascii.a2b_uu(line[1])
        except binascii.Error:
            return
        yield line.start(), line.end(), decoded
        position = line.end()


_UU_SPAN = 260
UUENCODED = Decoder("uuencoded", rb"(?:\A|\n)begin [0-7]{3,4} [^\r\n]{1,200}\r?\n[!-`][ -`]", decode_uuencoded)


def _listed(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(re.sub(rb"[^0-9A-Fa-f]", b"", found[1]).decode())


REGISTRY = Decoder(
    "registry export",
    rb"=hex(?:\([0-9a-f]{1,2}\))?:(?:[0-9a-fA-F]{2},){7}",
    Replacing(
        late_pattern(rb"hex(?:\([0-9a-f]{1,2}\))?:((?:[0-9a-fA-F]{2}(?:,\\?\s{0,8}|\b)){8,})"),
        _listed,
        reach=8192,
    ),
)
