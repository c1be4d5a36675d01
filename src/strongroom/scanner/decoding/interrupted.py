"""Values with something between their characters that nobody sees or reads: tags, invisible characters, Markdown's backslashes, separators."""

from __future__ import annotations

import re

from strongroom.scanner.decoding.decoded import Decoder
from strongroom.scanner.decoding.escapes import Replacing
from strongroom.scanner.decoding.late import late_pattern

_LETTER = rb"[A-Za-z0-9_]"
_JOINT = rb"[A-Za-z0-9_+/=.-]"
# Elements within a line of text: what stands on both sides of their tags is one word to who reads the page.
_INLINE = (
    rb"(?:(?:span|b|i|u|em|strong|code|font|mark|tspan|small|wbr|kbd|tt|a)(?:[\s/][^<>]{0,120})?|text:span[^<>]{0,120})"
)
_TAGS = rb"(?:</?" + _INLINE + rb">|\]\]><!\[CDATA\[)"

TAGS = Decoder(
    "tags",
    _LETTER + rb"{3}" + _TAGS + rb"{1,3}" + _LETTER + rb"{8}",
    Replacing(late_pattern(_TAGS), lambda _: b""),
)

# Zero-width spaces and joiners, marks of direction, word joiner, byte order mark, soft hyphen; in UTF-8 or as entities.
_INVISIBLE = rb"(?:\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad|&(?:shy|ZeroWidthSpace|zwnj|zwj|NoBreak);)"

INVISIBLE = Decoder(
    "invisible characters",
    _LETTER + rb"{2}" + _INVISIBLE + rb"{1,4}" + _LETTER + rb"{2}",
    Replacing(late_pattern(_INVISIBLE), lambda _: b""),
)

# As East Asian keyboards write letters: U+FF01 to U+FF5E stand for what is 0xFEE0 before them.
_FULL_WIDTH = rb"\xef(?:\xbc[\x81-\xbf]|\xbd[\x80-\x9e])"

FULL_WIDTH = Decoder(
    "full width",
    rb"(?:\xef(?:\xbc[\x8d-\x99\xa1-\xbf]|\xbd[\x80-\x9a])){8}",
    Replacing(late_pattern(_FULL_WIDTH), lambda found: bytes([ord(found[0].decode()) - 0xFEE0])),
)

MARKDOWN = Decoder(
    "Markdown",
    _LETTER + rb"\\[_*+.~=-]" + _LETTER + rb"{8}",
    Replacing(late_pattern(rb"\\([_*+.~=-])"), lambda found: found[1]),
)

OVERSTRUCK = Decoder(
    "overstruck",
    rb"(?:[!-~]\x08[!-~]){4}",
    Replacing(late_pattern(rb"[ -~]\x08"), lambda _: b""),
)

_JOINS = (
    rb"(?:[\"'`]{2}\.join\(|\.concat\(|\bconcat!?\(|\bCONCAT\(|strings\.Join\(|\]\.join\(|\.join\((?:''|\"\"|``)\))"
)

JOINED = Decoder(
    "joined",
    _JOINS,
    Replacing(
        late_pattern(
            rb"[\"'`](?<=[A-Za-z0-9_+/=.-][\"'`])\s{0,8}(?:,|\.concat\()\s{0,80}[bBrRfFuU]?[\"'`](?=[A-Za-z0-9_+/=.-])",
        ),
        lambda _: b"",
    ),
)

CHARACTERS = Decoder(
    "characters",
    rb"(?:'" + _JOINT + rb"',[ \t]{0,4}(?:\r?\n[ \t]{0,16})?){12}",
    Replacing(
        late_pattern(rb"'[ -~]'(?:,\s{0,64}'[ -~]'){11,}"),
        lambda found: b"".join(re.findall(rb"'([ -~])'", found[0])),
        reach=8192,
    ),
)
