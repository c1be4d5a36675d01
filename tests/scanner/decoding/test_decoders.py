from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.hiding.files import zipped
from tests.scanner.hiding.secret_token import made_up_token

from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.expressions import DECODER_SHIFT
from strongroom.scanner.layers import Layer

TOKEN = made_up_token(1)
HEAD, TAIL = TOKEN[:12], TOKEN[12:]
PROSE = b"some configuration text that is long enough\n" * 4

Write = Callable[[], bytes]

WAYS: dict[str, Write] = {
    "base64": lambda: b'x = "' + base64.b64encode(b"token: " + TOKEN) + b'"',
    "base64 of base64": lambda: base64.b64encode(base64.b64encode(TOKEN)),
    "base64 wrapped over lines": lambda: base64.encodebytes(PROSE + TOKEN + PROSE),
    "base64 wrapped and indented": lambda: base64.encodebytes(PROSE + TOKEN + PROSE).replace(b"\n", b"\n    "),
    "base64 wrapped in a JSON string": lambda: base64.encodebytes(PROSE + TOKEN).replace(b"\n", b"\\n"),
    "base64 cut into literals": lambda: re.sub(rb"(.{24})", rb'"\1"\n    ', base64.b64encode(b"token " + TOKEN)),
    "base64 one a line": lambda: base64.b64encode(made_up_token(5)) + b"\n" + base64.b64encode(TOKEN),
    "base64 of the URL alphabet without padding": lambda: base64.urlsafe_b64encode(b"???>>>" + TOKEN).rstrip(b"="),
    "base64 within other base64 letters": lambda: b"abc" + base64.b64encode(TOKEN),
    "gzip in base64": lambda: base64.b64encode(gzip.compress(TOKEN)),
    "zlib in base64": lambda: base64.b64encode(zlib.compress(TOKEN)),
    "a zip in base64": lambda: base64.b64encode(zipped({"k": TOKEN})),
    "UTF-16 in base64": lambda: base64.b64encode(TOKEN.decode().encode("utf-16-le")),
    "hex": lambda: b"key=" + TOKEN.hex().encode(),
    "hex in capitals at an odd place": lambda: b"f" + TOKEN.hex().upper().encode(),
    "hex over lines": lambda: re.sub(rb"(.{32})", rb"\1\n", (PROSE + TOKEN).hex().encode()),
    "a hex dump": lambda: b" ".join(b"%02x" % byte for byte in TOKEN),
    "an array of bytes": lambda: b"{" + b", ".join(b"0x%02X" % byte for byte in TOKEN) + b"}",
    "character codes": lambda: b"String.fromCharCode(" + b",".join(b"%d" % byte for byte in TOKEN) + b")",
    "\\x": lambda: b'"' + b"".join(b"\\x%02x" % byte for byte in TOKEN) + b'"',
    "\\u": lambda: b'"' + b"".join(b"\\u%04X" % byte for byte in TOKEN) + b'"',
    "\\u{}": lambda: b'"' + b"".join(b"\\u{%x}" % byte for byte in TOKEN) + b'"',
    "octal": lambda: b'"' + b"".join(b"\\%03o" % byte for byte in TOKEN) + b'"',
    "one \\u in it": lambda: TOKEN.replace(b"_", b"\\u005f"),
    "percent": lambda: b"".join(b"%%%02X" % byte for byte in TOKEN),
    "one percent in it": lambda: b"https://example.com/?t=" + TOKEN.replace(b"_", b"%5F"),
    "percent twice": lambda: TOKEN.replace(b"_", b"%255F"),
    "HTML entities": lambda: b"".join(b"&#%d;" % byte for byte in TOKEN),
    "HTML entities in hex": lambda: b"".join(b"&#x%x;" % byte for byte in TOKEN),
    "one HTML entity in it": lambda: TOKEN.replace(b"_", b"&lowbar;"),
    "concatenated with +": lambda: b'a = "' + HEAD + b'" + "' + TAIL + b'"',
    "concatenated with .": lambda: b"$a = '" + HEAD + b"' . '" + TAIL + b"';",
    "concatenated with &": lambda: b'a = "' + HEAD + b'" & "' + TAIL + b'"',
    "concatenated in Visual Basic": lambda: b'a = "' + HEAD + b'" & _\r\n    "' + TAIL + b'"',
    "concatenated over lines": lambda: b'a = "' + HEAD + b'"\n    + "' + TAIL + b'"',
    "adjacent literals": lambda: b'a = ("' + HEAD + b'"\n     "' + TAIL + b'")',
    "adjacent literals and a backslash": lambda: b'a = "' + HEAD + b'" \\\n    "' + TAIL + b'"',
    "a continued literal": lambda: b'a = "' + HEAD + b"\\\n" + TAIL + b'"',
    "a continued property": lambda: b"a=" + HEAD + b"\\\r\n    " + TAIL,
    "a backtick": lambda: b'$a = "' + HEAD + b"`\n" + TAIL + b'"',
    "folded YAML": lambda: b"a: >-\n  " + HEAD + b"\n  " + TAIL + b"\nb: 1",
    "a wrapped log": lambda: (
        b"2024-01-01T00:00:00.1Z token is " + HEAD + b"\n2024-01-01T00:00:00.2Z " + TAIL + b" and more"
    ),
    "terminal colours": lambda: b"\x1b[32m" + HEAD + b"\x1b[0;1m" + TAIL + b"\x1b[0m",
    "quoted-printable": lambda: b"token =3D " + HEAD + b"=\r\n" + TAIL,
    "UTF-16 in a program": lambda: b"\x7fELF\x01" + TOKEN.decode().encode("utf-16-le") + b"\xff",
    "UTF-16 the other way": lambda: b"\xff\xfe\xfd" + TOKEN.decode().encode("utf-16-be"),
    "UTF-32": lambda: b"\x7fELF" + TOKEN.decode().encode("utf-32-le"),
    "UTF-32 the other way": lambda: b"\x7fELF" + TOKEN.decode().encode("utf-32-be"),
}


def layers_of(data: bytes, depth: int = 5) -> list[Layer]:
    """All that is decoded of `data`, layer under layer, with the standard library's idea of the gates."""
    found = [Layer(data)]
    for layer in found:
        for decoder in DECODERS:
            ends = [match.end() for match in re.finditer(decoder.gate, layer.data)]
            if ends and len(layer.names) < depth:
                found += [layer.below(decoder.id, decoded) for decoded in decoder.decode(layer.data, bucketed(ends))]
    return found


def bucketed(ends: list[int]) -> list[int]:
    """The ends as the engine gives them: the first in each bucket."""
    firsts: dict[int, int] = {}
    for end in ends:
        firsts.setdefault((end - 1) >> DECODER_SHIFT, end)
    return list(firsts.values())


def where(data: bytes, value: bytes) -> list[bytes]:
    """The encoded bytes that a decoded layer says `value` stands in."""
    return [
        data[slice(*layer.locate(layer.data.index(value), layer.data.index(value) + len(value)))]
        for layer in layers_of(data)
        if layer.names and value in layer.data
    ]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_is_written_another_way_is_found_where_it_stands(way: str) -> None:
    written = WAYS[way]()
    data = b"first line\n" + written + b"\nlast line\n"
    places = where(data, TOKEN)
    assert places
    assert min(places, key=len) in b"first line\n" + written + b"\n"


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.id)
def test_each_decoder_has_a_way_of_writing_that_it_is_for(decoder: object) -> None:
    used = {name for write in WAYS.values() for layer in layers_of(b"x\n" + write() + b"\n") for name in layer.names}
    assert getattr(decoder, "id", "") in used | {"lines in an array"}


@given(st.binary(max_size=600))
def test_a_decoder_takes_any_bytes_and_locates_within_them(data: bytes) -> None:
    for decoder in DECODERS:
        for decoded in decoder.decode(data, [min(len(data), 30)]):
            start, end = decoded.locate(0, len(decoded.data))
            assert 0 <= start <= end <= len(data)
