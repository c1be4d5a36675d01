"""Base64 and hexadecimal digits: in one run or wrapped over lines, of either alphabet, padded or not.

The gates are narrow because ASCII text shows in its encoding: a byte below 0x80 has its top bit clear, which leaves half of
the letters for the first, second and third of four base64 characters, and six of sixteen for the first of two hex digits.
An identifier, a digest or a path does not keep to that for long. What is compressed is recognized by how it begins.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strongroom.scanner.decoding.decoded import Decoded, Decoder, Spliced

_QUAD = rb"[A-Za-f][AQBRCSDTEUFVGWHXgwhxiyjzk0l1m2n3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_TEXT = rb"(?:" + _QUAD + rb"){6}"
# gzip, zlib (three levels), zip, bzip2, xz, 7-Zip, PDF, zstd, a UTF-16 byte order mark: as base64 begins for each.
_MAGIC = (
    rb"(?:H4sI[A-Za-z0-9+/_-]|eJ[w-z0-3]|eNo|eNq|eNp|eAF|UEsDB|QlpoO|/Td6WFoA|N3q8ryc|JVBERi0|KLUv/[QSa-f]|//4[A-Za-f])"
    rb"[A-Za-z0-9+/_-]{16}"
)
_HEX_TEXT = rb"(?:[2-7][0-9A-Fa-f]){16}"

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

    def to_bytes(self, characters: bytes) -> bytes:
        if self.bits == 4:
            return binascii.unhexlify(characters[: len(characters) & ~1])
        whole = characters[: len(characters) - (len(characters) % 4 == 1)]
        return binascii.a2b_base64(whole.translate(_URL_ALPHABET) + b"=" * (-len(whole) % 4))


_B64 = rb"[A-Za-z0-9+/_-]"
_BASE64 = _Alphabet(
    bits=6,
    run=re.compile(_B64 + rb"{16,}"),
    continued=re.compile(_GAP + rb"(" + _B64 + rb"+)"),
    text=re.compile(_TEXT + rb"|" + _MAGIC),
    strip=b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-",
    group=4,
)
_HEX = _Alphabet(
    bits=4,
    run=re.compile(rb"[0-9A-Fa-f]{16,}"),
    continued=re.compile(_GAP + rb"([0-9A-Fa-f]+)"),
    text=re.compile(_HEX_TEXT),
    strip=b"0123456789ABCDEFabcdef",
    group=2,
)


def _lines(data: bytes, ends: Sequence[int], alphabet: _Alphabet) -> Iterator[list[tuple[int, int]]]:
    """The encoded texts of `data`, each as the ranges of its lines. Lines of one text are equally long, except for the last."""
    position = len(data[: ends[0]].rstrip(alphabet.strip)) if ends else 0
    # A wrapped text may begin before the line with the first match; that line's predecessors are no match by themselves.
    position = max(0, data.rfind(b"\n", 0, max(0, position - 400)) + 1) if position else 0
    while run := alphabet.run.search(data, position):
        lines = [run.span()]
        width = run.end() - run.start()
        while more := alphabet.continued.match(data, lines[-1][1]):
            if more.end(1) - more.start(1) > width:
                break
            lines.append(more.span(1))
            if more.end(1) - more.start(1) < width:
                break
        position = lines[-1][1]
        yield lines


def _joined(data: bytes, lines: list[tuple[int, int]]) -> tuple[bytes, Spliced]:
    decoded_at, length = [], 0
    for start, end in lines:
        decoded_at.append(length)
        length += end - start
    decoded_at.append(length)
    encoded_at = [start for start, _ in lines] + [lines[-1][1]]
    return b"".join(data[start:end] for start, end in lines), Spliced(decoded_at, encoded_at, [True] * len(lines))


def _decode(data: bytes, lines: list[tuple[int, int]], alphabet: _Alphabet) -> Iterator[Decoded]:
    characters, place = _joined(data, lines)
    offsets = {found.start() % alphabet.group for found in alphabet.text.finditer(characters)}
    for skipped in sorted(offsets):
        yield Decoded(alphabet.to_bytes(characters[skipped:]), _Digits(alphabet.bits, skipped, place))


def _decode_all(data: bytes, ends: Sequence[int], alphabet: _Alphabet) -> Iterator[Decoded]:
    for lines in _lines(data, ends, alphabet):
        yield from _decode(data, lines, alphabet)
        if len(lines) > 1:  # perhaps they are no wrapped text, but one secret a line
            yield from _each_by_itself(data, lines, alphabet)


def _each_by_itself(data: bytes, lines: list[tuple[int, int]], alphabet: _Alphabet) -> Iterator[Decoded]:
    """All lines decoded one by one, with line breaks between them, as one: thousands of small results would cost more."""
    parts: list[bytes] = []
    decoded_at, encoded_at, length = [], [], 0
    for start, end in lines:
        for piece in _decode(data, [(start, end)], alphabet):
            parts.append(piece.data)
            decoded_at += [length, length + len(piece.data)]  # the line, and the break behind it
            encoded_at += [start, end]
            length += len(piece.data) + 1
    if parts:
        decoded_at.append(length)
        encoded_at.append(encoded_at[-1])
        yield Decoded(b"\n".join(parts), Spliced(decoded_at, encoded_at, [False] * len(decoded_at)))


def decode_base64(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """RFC 4648 sections 4 and 5; padding and line breaks are optional."""
    return _decode_all(data, ends, _BASE64)


def decode_hex(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """Hexadecimal digits of either case, two for a byte."""
    return _decode_all(data, ends, _HEX)


BASE64 = Decoder("base64", _TEXT + rb"|" + _MAGIC, decode_base64, reach=64 << 10)
HEX = Decoder("hex", _HEX_TEXT, decode_hex, reach=64 << 10)
