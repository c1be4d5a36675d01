"""Base64, base32 and hexadecimal digits: in one run or wrapped over lines, of either alphabet, padded or not.

The gates are narrow because text shows in its encoding: a byte that is printable, a blank, a line break or zero leaves less than half of
the letters for the first, second and third of four base64 characters, and six of sixteen for the first of two hex digits.
An identifier, a digest, a path or a program does not keep to that for long. What is compressed is recognized by how it begins.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from strongroom.scanner.decoding.decoded import Decoded, Decoder, Spliced, near
from strongroom.scanner.decoding.late import late_pattern
from strongroom.scanner.expressions import CAPITALS, HEXADECIMAL, LETTERS

# Zeros are among what stands in texts: every other byte of UTF-16 is one, and names and passwords are separated by them.
QUAD = rb"(?:[CDI-Za-f][AQCSDTEUFVGWHXgwiyjzk0l1m2n3]|A[AC-H])[ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
"""Four characters of base64 that stand for text."""
_TEXT = rb"(?:" + QUAD + rb"){6}"
# gzip, zlib (three levels), zip, bzip2, xz, 7-Zip, PDF, zstd, a UTF-16 byte order mark: as base64 begins for each.
_MAGIC = (
    rb"(?:H4sI[A-Za-z0-9+/_-]|eJ[w-z0-3]|eNo|eNq|eNp|eAF|UEsDB|QlpoO|/Td6WFoA|N3q8ryc|JVBERi0|KLUv/[QSa-f]|//4[A-Za-f])"
    rb"[A-Za-z0-9+/_-]{16}"
)
# Of eight letters, which stand for five bytes, five have one bit that is clear in ASCII.
_OCTET = rb"[A-P][ABEFIJMNQRUVYZ45][A-Z2-7][A-HQ-X][ACEGIKMOQSUWY246][A-Z2-7][A-DI-LQ-TYZ23][A-Z2-7]"
_BASE32_TEXT = rb"(?:" + _OCTET + rb"){5}"
_HEX_TEXT = rb"(?:[2-7][0-9A-Fa-f]){16}"
# The same as hex: gzip, zlib, zip, bzip2, xz, zstd.
_HEX_MAGIC = rb"(?i:1f8b08|789c|78da|504b0304|425a68|fd377a58|28b52ffd)[0-9A-Fa-f]{32}"

_BLOCK = 4096
_SHORT = 64 * 1024
"""Characters of a text that is decoded as a whole from every offset."""
_LEAST_WIDTH = 20
"""Characters of a line of wrapped text, at least."""
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
# Between two lines of one encoded text: how languages continue a literal, quote, comment or indent it; or an escaped line break.
_GAP = (
    rb"(?:[\"'`]?[ \t]{0,8}[+.,&\\]?[ \t]{0,4}_?[ \t]{0,8}\r?\n[ \t]{0,120}(?:(?:#|//|;|\*|>|[+.&])[ \t]{0,8})?[\"'`]?"
    rb"|(?:\\r)?\\n(?:\\?\r?\n[ \t]{0,120}|[\"'`][ \t]{0,8}[+.,&]?[ \t]{0,8}\r?\n[ \t]{0,120}[\"'`])?"
    rb"|&#(?:10|13|xA|xD);[ \t]{0,8})"
)


@dataclass(frozen=True, slots=True)
class _Digits:
    """Maps decoded bytes to characters of `bits` bits each, the first of which is character number `skipped`, and those to where they stood."""

    bits: int
    skipped: int
    characters: Spliced

    def __call__(self, start: int, end: int) -> tuple[int, int]:
        first = self.skipped + start * 8 // self.bits
        last = self.skipped + (max(end, start + 1) * 8 - 1) // self.bits
        return self.characters(first, last + 1)


@dataclass(frozen=True, slots=True)
class _Alphabet:
    """What tells two ways of writing bits as characters apart."""

    bits: int
    run: re.Pattern[bytes]
    continued: re.Pattern[bytes]
    text: re.Pattern[bytes]
    strip: bytes
    group: int
    """Characters that stand for whole bytes together."""
    least: int
    """Characters of the shortest text that the gate sees."""
    around: int = 1024
    """Characters before and behind what is readable that may belong to it."""

    def to_bytes(self, characters: bytes) -> bytes:
        if self.bits == 4:
            return binascii.unhexlify(characters[: len(characters) & ~1])
        if self.bits == 5:
            return _of_base32(characters)
        whole = characters[: len(characters) - (len(characters) % 4 == 1)]
        return binascii.a2b_base64(whole.translate(_URL_ALPHABET) + b"=" * (-len(whole) % 4))


def _of_base32(characters: bytes) -> bytes:
    """What letters of base32 stand for; those behind the last whole byte are dropped."""
    left = len(characters) % 8
    whole = characters[: len(characters) - left + _WHOLE_IN_BASE32[left]]
    return base64.b32decode(whole + b"=" * (-len(whole) % 8))


_WHOLE_IN_BASE32 = (0, 0, 2, 2, 4, 5, 5, 7)
"""Of so many letters of base32, how many make whole bytes."""
_B64 = rb"[A-Za-z0-9+/_-]"
_BASE64 = _Alphabet(
    bits=6,
    run=late_pattern(_B64 + rb"+"),
    continued=late_pattern(_GAP + rb"(" + _B64 + rb"+)"),
    text=late_pattern(_TEXT),
    strip=b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-",
    group=4,
    least=32,
)
_PACKED_BASE64 = replace(_BASE64, text=late_pattern(_MAGIC), around=_SHORT)
_BASE32 = _Alphabet(
    bits=5,
    run=late_pattern(rb"[A-Z2-7]+"),
    continued=late_pattern(_GAP + rb"([A-Z2-7]+)"),
    text=late_pattern(_BASE32_TEXT),
    strip=b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    group=8,
    least=48,
)
_HEX = _Alphabet(
    bits=4,
    run=late_pattern(rb"[0-9A-Fa-f]+"),
    continued=late_pattern(_GAP + rb"([0-9A-Fa-f]+)"),
    text=late_pattern(_HEX_TEXT),
    strip=b"0123456789ABCDEFabcdef",
    group=2,
    least=32,
)
_PACKED_HEX = replace(_HEX, text=late_pattern(_HEX_MAGIC), least=48, around=_SHORT)


@dataclass(slots=True)
class _Text:
    """An encoded text: the ranges of its lines, and where in them readable stretches begin."""

    lines: list[tuple[int, int]]
    readable: list[int]


def _texts(data: bytes, ends: Sequence[int], alphabet: _Alphabet) -> Iterator[_Text]:
    """The encoded texts of `data`. Lines of one text are equally long, except for the last."""
    windows = list(near(ends, alphabet.least))
    done = 0
    for number, (first, last) in enumerate(windows):
        position = max(done, first)
        while found := alphabet.text.search(data, position, min(len(data), last)):
            text = _Text(_around(data, found.start(), done, alphabet), [found.start()])
            done = position = max(text.lines[-1][1], found.end())
            for ahead in range(number + 1, len(windows)):
                later_first, later_last = windows[ahead]
                if later_first >= done:
                    break
                if later := alphabet.text.search(data, max(found.end(), later_first), min(done, later_last)):
                    text.readable.append(later.start())
            yield text


def _around(data: bytes, inside: int, floor: int, alphabet: _Alphabet) -> list[tuple[int, int]]:
    """The lines of the text that has a character at `inside`, none of which begins before `floor`."""
    lines = [_run(data, inside, floor, alphabet)]
    width = lines[0][1] - lines[0][0]
    # Upwards through lines that are as long: what precedes the first readable one may be another language, or compressed.
    while (above := _above(data, lines[-1][0], width, floor, alphabet)) is not None:
        lines.append((above, above + width))
    lines.reverse()
    if len(lines) == 1 and (first := _longer_above(data, lines[0], floor, alphabet)):
        lines.insert(0, first)
        width = first[1] - first[0]
    while more := alphabet.continued.match(data, lines[-1][1]):
        length = more.end(1) - more.start(1)
        if length > width:
            break
        lines.append(more.span(1))
        if length < width:
            break
    return lines


def _run(data: bytes, inside: int, floor: int, alphabet: _Alphabet) -> tuple[int, int]:
    """The characters without a gap around `inside`."""
    start = inside
    while start > floor:
        block = max(floor, start - _BLOCK)
        kept = len(data[block:start].rstrip(alphabet.strip))
        start = block + kept
        if kept:
            break
    found = alphabet.run.match(data, inside)
    return start, found.end() if found else inside


def _above(data: bytes, start: int, width: int, floor: int, alphabet: _Alphabet) -> int | None:
    """Where a line of just `width` characters begins that is continued at `start`."""
    gap = _gap_before(data, start, floor)
    begin = gap - width
    if gap < 0 or begin < floor or width < _LEAST_WIDTH or data[begin:gap].strip(alphabet.strip):
        return None
    if begin > floor and not data[begin - 1 : begin].strip(alphabet.strip):
        return None
    found = alphabet.continued.match(data, gap)
    return begin if found and found.start(1) == start else None


def _longer_above(data: bytes, line: tuple[int, int], floor: int, alphabet: _Alphabet) -> tuple[int, int] | None:
    """The line above a last line, which is shorter."""
    gap = _gap_before(data, line[0], floor)
    if gap <= floor:
        return None
    found = alphabet.continued.match(data, gap)
    above = _run(data, gap - 1, floor, alphabet)
    is_text = found is not None and found.start(1) == line[0] and gap - above[0] > max(line[1] - line[0], _LEAST_WIDTH)
    return (above[0], gap) if is_text else None


def _gap_before(data: bytes, start: int, floor: int) -> int:
    """Where the gap begins that ends at `start`: behind the line break before it, quotes and blanks are its own; -1 if there is none."""
    gap = data.rfind(b"\n", max(floor, start - 130), start)
    if gap < 0:
        return -1
    return max(floor, gap - 16) + len(data[max(floor, gap - 16) : gap].rstrip(b" \t\r\"'`+.,&\\_"))


def _joined(data: bytes, lines: list[tuple[int, int]]) -> tuple[bytes, Spliced]:
    decoded_at, length = [], 0
    for start, end in lines:
        decoded_at.append(length)
        length += end - start
    decoded_at.append(length)
    encoded_at = [start for start, _ in lines] + [lines[-1][1]]
    return b"".join(data[start:end] for start, end in lines), Spliced(decoded_at, encoded_at, [True] * len(lines))


def _decode(data: bytes, text: _Text, alphabet: _Alphabet) -> Iterator[Decoded]:
    """The text, decoded from each offset at which some of it is readable: mostly one."""
    characters, place = _joined(data, text.lines)
    starts = [start for start, _ in text.lines]
    readable: dict[int, list[int]] = {}
    for at in text.readable:
        line = bisect_right(starts, at) - 1
        position = place.decoded_at[line] + at - starts[line]
        readable.setdefault(position % alphabet.group, []).append(position)
    best = max(readable, key=lambda offset: len(readable[offset]), default=0)
    for offset in sorted(readable):
        is_whole = offset == best or len(characters) <= _SHORT
        for first, last in [(offset, len(characters))] if is_whole else _stretches(readable[offset], alphabet):
            yield Decoded(alphabet.to_bytes(characters[first:last]), _Digits(alphabet.bits, first, place))


def _stretches(readable: Sequence[int], alphabet: _Alphabet) -> Iterator[tuple[int, int]]:
    """The surroundings of readable places, which are in rising order; those that meet as one. From other offsets a long text is mostly noise."""
    first, last = -1, -1
    around = alphabet.around // alphabet.group * alphabet.group
    for position in readable:
        if first >= 0 and position - around > last:
            yield first, last
            first = -1
        if first < 0:
            first = max(position % alphabet.group, position - around)
        last = position + around
    if first >= 0:
        yield first, last


def _decode_all(data: bytes, ends: Sequence[int], alphabet: _Alphabet) -> Iterator[Decoded]:
    for text in _texts(data, ends, alphabet):
        yield from _decode(data, text, alphabet)
        if len(text.lines) > 1 and len(text.readable) > 1:  # perhaps they are no wrapped text, but one secret a line
            yield from _each_by_itself(data, text, alphabet)


def _each_by_itself(data: bytes, text: _Text, alphabet: _Alphabet) -> Iterator[Decoded]:
    """All lines decoded one by one, with line breaks between them, as one: thousands of small results would cost more."""
    parts: list[bytes] = []
    decoded_at, encoded_at, length = [], [], 0
    for start, end in text.lines:
        found = alphabet.text.search(data, start, end)
        for piece in _decode(data, _Text([(start, end)], [found.start()]), alphabet) if found else ():
            parts.append(piece.data)
            decoded_at += [length, length + len(piece.data)]  # the line, and the break behind it
            encoded_at += [start, end]
            length += len(piece.data) + 1
    if len(parts) > 1:
        decoded_at.append(length)
        encoded_at.append(encoded_at[-1])
        yield Decoded(b"\n".join(parts), Spliced(decoded_at, encoded_at, [False] * len(decoded_at)))


def decode_base64(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """RFC 4648 sections 4 and 5; padding and line breaks are optional."""
    return _decode_all(data, ends, _BASE64)


def decode_packed_base64(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """The same for what is compressed."""
    return _decode_all(data, ends, _PACKED_BASE64)


def decode_base32(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """RFC 4648 section 6, in capitals; padding and line breaks are optional."""
    return _decode_all(data, ends, _BASE32)


def decode_packed_hex(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """The same for what is compressed."""
    return _decode_all(data, ends, _PACKED_HEX)


def decode_hex(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """Hexadecimal digits of either case, two for a byte."""
    return _decode_all(data, ends, _HEX)


BASE64 = Decoder("base64", _TEXT, decode_base64, part=LETTERS)
# By itself, since the two patterns together take longer than one after the other.
PACKED_BASE64 = Decoder("base64 of packed data", _MAGIC, decode_packed_base64)
# Wider than need be, for a run of one class costs next to nothing; the text is looked for where there is one.
BASE32 = Decoder("base32", rb"[A-Z2-7]{40}", decode_base32, part=CAPITALS)
HEX = Decoder("hex", _HEX_TEXT, decode_hex, part=HEXADECIMAL)
PACKED_HEX = Decoder("hex of packed data", _HEX_MAGIC, decode_packed_hex)
