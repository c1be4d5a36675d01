"""Values that were cut in pieces: literals that are concatenated or continued, folded blocks, arrays of lines, wrapped logs.

What stands between two pieces is dropped, so that the value is whole again. The gates want a piece of a word directly at both
sides of the cut: sentences are cut at spaces, secrets are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from strongroom.scanner.decoding.decoded import Decoded, Decoder, splice
from strongroom.scanner.decoding.escapes import Replacing
from strongroom.scanner.decoding.late import late_pattern

_WORD = rb"[A-Za-z0-9_+/=.-]"
_QUOTE = rb"[\"'`]"
# + . & <> << ++ || and nothing at all: in order Java and most others, PHP and Perl, Visual Basic, Elixir, Ruby, Haskell, SQL, C and Python.
_SAME_LINE = rb"[ \t]{0,8}(?:\+|\.|\.\.|&|\+\+|<>|<<|\|\|)?[ \t]{0,8}[bBrRfFuUL@$]{0,2}" + _QUOTE
_OTHER_LINE = (
    rb"[ \t]{0,8}(?:\+|\.|\.\.|&|\+\+|<>|<<|\|\||&[ \t]{1,8}_)?[ \t]{0,8}\\?\r?\n[ \t]{0,120}"
    rb"(?:(?:\+|\.|\.\.|&|\+\+|<>|<<|\|\|)[ \t]{0,8})?[bBrRfFuUL@$]{0,2}" + _QUOTE
)
# What is added to a variable piece by piece: `t += "…"`, `$t .= "…"`, `t = t & "…"`.
_ADDED = (
    rb"[ \t]{0,4};?[ \t]{0,4}(?:\r?\n)?[ \t]{0,40}[$@]?\w{1,40}[ \t]{0,4}"
    rb"(?:[+.]=|=[ \t]{0,4}[$@]?\w{1,40}[ \t]{0,4}[+.&])[ \t]{0,4}" + _QUOTE
)
_NEXT = rb"(?:" + _SAME_LINE + rb"|" + _OTHER_LINE + rb"|" + _ADDED + rb")"

CONCATENATION = Decoder(
    "concatenation",
    _WORD + rb"{3}" + _QUOTE + _NEXT + _WORD + rb"{3}",
    # What is behind the quote is looked at first where a quote is: a pattern that begins with a look behind is tried at every byte.
    Replacing(
        late_pattern(_QUOTE + rb"(?<=" + _WORD + _QUOTE + rb")" + _NEXT + rb"(?=" + _WORD + rb")"), lambda _: b""
    ),
)
CONTINUATION = Decoder(
    "continuation",
    _WORD + rb"{4}[\\`^]\r?\n[ \t]{0,120}" + _WORD + rb"{4}",
    Replacing(late_pattern(rb"[\\`^]\r?\n[ \t]{0,120}(?=[A-Za-z0-9_+/=.-])"), lambda _: b""),
)
FOLDED = Decoder(
    "folded",
    rb"(?:: |- )(?:[!&][\w!:/.-]{1,40} )?[>|][-+0-9]{0,2}[ \t]{0,8}\r?\n[ \t]{1,120}" + _WORD + rb"{8}",
    Replacing(
        late_pattern(rb"(?<=[A-Za-z0-9_+/=.])\r?\n[ \t]{1,120}(?=[A-Za-z0-9_+/=.-]{4,512}[ \t]{0,8}(?:\r?\n|\Z))"),
        lambda _: b"",
    ),
)
LOG_WRAPS = Decoder(
    "log wrap",
    _WORD + rb"{12}\r?\n\[?20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.,:+Z]{0,16}\]?[ \t]" + _WORD + rb"{2}",
    Replacing(
        late_pattern(rb"\r?\n\[?20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.,:+Z]{0,16}\]?[ \t](?=[A-Za-z0-9_+/=.-])"),
        lambda _: b"",
    ),
)
TERMINAL = Decoder(
    "terminal",
    _WORD + rb"\x1b(?:\[[0-9;?]{0,24}[A-Za-z]|\][^\x07\x1b]{0,120}(?:\x07|\x1b\\))",
    Replacing(late_pattern(rb"\x1b(?:\[[0-9;?]{0,24}[A-Za-z]|\][^\x07\x1b]{0,120}(?:\x07|\x1b\\))"), lambda _: b""),
)
PICKLED = Decoder(
    "pickled text",
    rb"\nV[!-~]{8,512}\np[0-9]{1,6}\n",
    Replacing(late_pattern(rb"\nV(?=[!-~]{8})"), lambda _: b"\n", span=600),
)
_FOLD = late_pattern(rb"\r?\n[ \t](?=[^ \t\r\n])")


def _unfolded(data: bytes, ends: Sequence[int]) -> Iterator[Decoded]:
    """Everything from the first card, appointment or entry on, with lines that were folded (RFC 5545, RFC 2849) whole again."""
    start = max(0, ends[0] - 300) if ends else 0
    if _FOLD.search(data, start):
        yield splice(data, start, len(data), ((one.start(), one.end(), b"") for one in _FOLD.finditer(data, start)))


UNFOLDED = Decoder(
    "folded lines",
    rb"(?:BEGIN:V(?:CARD|CALENDAR)\r?\n|(?:\A|\n)dn::? [^\r\n]{1,256}\r?\n)",
    _unfolded,
)
_UNESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _of_line(found: re.Match[bytes]) -> bytes:
    letter = found["simple"]
    return b"\n" if letter is None else _UNESCAPED.get(letter, letter)


JSON_LINES = Decoder(
    "lines in an array",
    rb"\\n\",[ \t]{0,8}\r?\n[ \t]{0,64}\"",
    Replacing(late_pattern(rb"\\(?:n\"\s{0,8},\s{0,80}\"|(?P<simple>[\"\\/nrt]))"), _of_line),
)
