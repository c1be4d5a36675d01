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
    rb"(?:[\"'`]{2}\.join\(|\.concat\(|\bconcat!?\(|\bCONCAT\(|strings\.Join\(|\]\.join\(|\.join\((?:''|\"\"|``)\)"
    rb"|\bjoin\((?:''|\"\"),|!Join[ ]{0,4}\[|\"Fn::Join\"|\bformat\([\"'](?:%s){2}|(?:%s){2}[\"'][ ]%[ ]|(?:\{\}){2}[\"']\.format\("
    rb"|(?i:CONCATENATE\()|" + _LETTER + rb"{3}[\"']\)\s{0,40}\.append\([\"']" + _LETTER + rb"{3})"
)

JOINED = Decoder(
    "joined",
    _JOINS,
    Replacing(
        late_pattern(
            rb"[\"'`](?<=[A-Za-z0-9_+/=.-][\"'`])\s{0,8}(?:,|\.concat\(|\)\s{0,40}\.append\()\s{0,80}[bBrRfFuU]?[\"'`](?=[A-Za-z0-9_+/=.-])",
        ),
        lambda _: b"",
    ),
)

_CALL = rb"(?i:chr[wb$]?\(|\[char\]\(?)(?:0x[2-7][0-9a-f]|[1-9][0-9]{1,2})\)?"
_PLUS = rb"[ \t]{0,8}(?:[+&.]|\|\|)[ \t]{0,8}"
CALLS = Decoder(
    "characters by number",
    rb"(?:" + _CALL + _PLUS + rb"){8}",
    Replacing(
        late_pattern(_CALL + rb"(?:" + _PLUS + _CALL + rb"){7,}"),
        lambda found: bytes(
            int(number, 0) & 0x7F for number in re.findall(rb"0[xX][0-9A-Fa-f]{2}|[1-9][0-9]{1,2}", found[0])
        ),
        reach=8192,
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
