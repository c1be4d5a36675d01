"""Ways to write a token, one for each that a decoder is for."""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import json
import re
import zlib
from collections.abc import Callable

from tests.scanner.hiding.files import zipped
from tests.scanner.hiding.secret_token import made_up_token

TOKEN = made_up_token(1)
HEAD, TAIL = TOKEN[:12], TOKEN[12:]
PROSE = b"some configuration text that is long enough\n" * 4

Write = Callable[[], bytes]

WAYS: dict[str, Write] = {
    "base64": lambda: b'x = "' + base64.b64encode(b"token: " + TOKEN) + b'"',
    "base64 of base64": lambda: base64.b64encode(base64.b64encode(TOKEN)),
    "base64 wrapped over lines": lambda: base64.encodebytes(PROSE + TOKEN + b"\n" + PROSE),
    "base64 wrapped and indented": lambda: base64.encodebytes(PROSE + TOKEN + b"\n" + PROSE).replace(b"\n", b"\n    "),
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
    "concatenated with <<": lambda: b"a = '" + HEAD + b"' << '" + TAIL + b"'",
    "joined": lambda: b"a = ['" + HEAD + b"', '" + TAIL + b"'].join('')",
    "joined from the separator": lambda: b'a = "".join(["' + HEAD + b'",\n    "' + TAIL + b'"])',
    "joined by a method": lambda: b"a = '" + HEAD + b"'.concat('" + TAIL + b"')",
    "joined by a macro": lambda: b'a = concat!("' + HEAD + b'", "' + TAIL + b'")',
    "concatenated in a JSON string": lambda: b'{"s": "a = \\"' + HEAD + b'\\" +\\n  \\"' + TAIL + b'\\";"}',
    "after a line break in a JSON string": lambda: b'{"s": "env:\\n' + TOKEN + b'"}',
    "JSON in JSON in JSON": lambda: json.dumps(
        {"a": json.dumps({"b": json.dumps({"t": f"x\n{TOKEN.decode()}"})})}
    ).encode(),
    "an array of characters": lambda: b"{" + b", ".join(b"'%c'" % byte for byte in TOKEN) + b"}",
    "formatted in part": lambda: b"<p>" + HEAD + b"<b class='x'>" + TAIL + b"</b></p>",
    "two runs of CDATA": lambda: b"<k><![CDATA[" + HEAD + b"]]><![CDATA[" + TAIL + b"]]></k>",
    "a space of no width": lambda: HEAD + "\u200b".encode() + TAIL,
    "a soft hyphen": lambda: HEAD + b"&shy;" + TAIL,
    "escaped in Markdown": lambda: TOKEN.replace(b"_", b"\\_"),
    "overstruck": lambda: b"".join(b"%c\x08%c" % (byte, byte) for byte in TOKEN),
    "base32": lambda: b'x = "' + base64.b32encode(b"token " + TOKEN) + b'"',
    "base32 without padding": lambda: b"x=" + base64.b32encode(TOKEN + b"!").rstrip(b"="),
    "rows of hexdump": lambda: b"".join(
        b"%08x  %b  |%b|\n" % (at, TOKEN[at : at + 16].hex(" ").encode(), TOKEN[at : at + 16]) for at in (0, 16, 32)
    ),
    "rows of xxd": lambda: b"".join(
        b"%08x: %b  %b\n" % (at, TOKEN[at : at + 16].hex(" ", -2).encode(), TOKEN[at : at + 16]) for at in (0, 16, 32)
    ),
    "uuencoded": lambda: b"begin 644 k.txt\n" + binascii.b2a_uu(b"x " + TOKEN) + b"`\nend",
    "a registry export": lambda: (
        b'"Token"=hex(2):' + re.sub(rb"(.{60})", rb"\1\\\n  ", TOKEN.decode().encode("utf-16-le").hex(",").encode())
    ),
    "a wrapped log": lambda: (
        b"2024-01-01T00:00:00.1Z token is " + HEAD + b"\n2024-01-01T00:00:00.2Z " + TAIL + b" and more"
    ),
    "terminal colours": lambda: b"\x1b[32m" + HEAD + b"\x1b[0;1m" + TAIL + b"\x1b[0m",
    "quoted-printable": lambda: b"token =3D " + HEAD + b"=\r\n" + TAIL,
    "UTF-16 in a program": lambda: b"\x7fELF\x01" + TOKEN.decode().encode("utf-16-le") + b"\xff",
    "UTF-16 the other way": lambda: b"\xff\xfe\xfd" + TOKEN.decode().encode("utf-16-be"),
    "UTF-32": lambda: b"\x7fELF" + TOKEN.decode().encode("utf-32-le"),
    "UTF-32 the other way": lambda: b"\x7fELF" + TOKEN.decode().encode("utf-32-be"),
    "base85": lambda: b'k = b85decode("' + base64.b85encode(b"token " + TOKEN) + b'")',
    "ascii85 in its frame": lambda: base64.a85encode(b"token " + TOKEN, adobe=True),
    "a binary patch": lambda: b"GIT binary patch\nliteral 99\n" + _lines_of_base85(b"\0\1 token " + TOKEN) + b"\n",
    "UTF-7": lambda: b"token+AD0-" + TOKEN.replace(b"_", b"+AF8-"),
    "gzip in hex": lambda: gzip.compress(b"token " + TOKEN).hex().encode(),
    "a card with folded lines": lambda: b"BEGIN:VCARD\r\nNOTE:" + HEAD + b"\r\n " + TAIL + b"\r\nEND:VCARD",
    "full width": lambda: "".join(chr(byte + 0xFEE0) for byte in TOKEN).encode(),
    "gzip within something": lambda: b"\x7fELF\0" + gzip.compress(b"token " + TOKEN) + b"\0\0",
    "a message of SAML": lambda: b"?SAMLRequest=" + base64.b64encode(zlib.compress(b"<x>" + TOKEN + b"</x>")[2:-4]),
    "backwards": lambda: b"t = '" + TOKEN[::-1] + b"'[::-1]",
    "rot13": lambda: b"str_rot13('" + codecs.encode(TOKEN.decode(), "rot13").encode() + b"')",
    "added piece by piece": lambda: b's = "' + HEAD + b'";\ns += "' + TAIL + b'";',
    "base64 in items of a list": lambda: json.dumps(
        re.findall(".{1,20}", base64.b64encode(b"token " + TOKEN).decode())
    ).encode(),
    "characters by number": lambda: b"t = " + b"+".join(b"chr(%d)" % byte for byte in TOKEN),
    "variables": lambda: b"set A=" + HEAD + b"\r\nset B=%A%" + TAIL + b"\r\n",
    "an old pickle": lambda: b"(dp0\nVtoken\np1\nV" + TOKEN + b"\np2\ns.",
}


def _lines_of_base85(data: bytes) -> bytes:
    packed = zlib.compress(data)
    return b"".join(
        bytes([len(part) + (64 if len(part) <= 26 else 70)]) + base64.b85encode(part, pad=True) + b"\n"
        for part in (packed[at : at + 52] for at in range(0, len(packed), 52))
    )
