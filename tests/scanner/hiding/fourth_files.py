"""Files that hide a token, thought out by an adversary: containers and encodings within each other, and pieces that only a program puts together."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import io
import json
import lzma
import quopri
import struct
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from tests.scanner.hiding.files import Hiding, zipped

_TEXT = b"first line\nsecond line\n"


def _b64(data: bytes) -> bytes:
    return base64.b64encode(data)


def _thrice_escaped(token: bytes) -> bytes:
    text = "".join(f"%{byte:02X}" for byte in token)
    return b"http://x/?t=" + urllib.parse.quote(urllib.parse.quote(text, safe=""), safe="").encode()


def _nested_json(token: bytes) -> bytes:
    text = json.dumps({"token": token.decode()})
    for _ in range(3):
        text = json.dumps({"body": text})
    return text.encode()


def _tar(token: bytes, kind: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        entry = tarfile.TarInfo("d/" * 120 + "x.py")
        content = b't="' + token + b'"'
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class _Pipe(io.RawIOBase):
    """What cannot be sought in: a zip written to it has its sizes behind the data."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += bytes(data)
        return len(data)


def _streamed_zip(token: bytes) -> bytes:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.py", b't="' + token + b'"')
    return pipe.written


def _zip64(token: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("x.py", "w", force_zip64=True) as file:
        file.write(b't="' + token + b'"')
    return buffer.getvalue()


def _mail_in_mail(token: bytes) -> bytes:
    inner = (
        b"Subject: in\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"t=3D" + token[:20] + b"=\n" + token[20:] + b"\n"
    )
    head = b'From: a@b.c\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n\n--B\n'
    part = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(inner)
    return head + part + b"\n--B--\n"


def _deflated(token: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    text = engine.compress(b"<samlp:AuthnRequest>" + token + b"</samlp:AuthnRequest>") + engine.flush()
    return b"GET /?SAMLRequest=" + urllib.parse.quote(_b64(text)).encode()


def _pieces(token: bytes) -> list[bytes]:
    return [token[at : at + 8] for at in range(0, len(token), 8)]


FOURTH_HIDINGS: Mapping[str, Hiding] = {
    "xz embedded in a document": Hiding(
        lambda t: zipped({"word/document.xml": b"<w:document/>", "word/embeddings/o.xz": lzma.compress(b"k=" + t)}),
        "",
        0,
    ),
    "UTF-16 in base64 in YAML": Hiding(
        lambda t: b"cmd: " + _b64(('$t = "' + t.decode() + '"').encode("utf-16-le")) + b"\n", "f", 1, "a.yaml"
    ),
    "JSON in JSON in JSON in JSON": Hiding(_nested_json, "f"),
    "base64 in a heredoc of Terraform": Hiding(
        lambda t: b"user_data = <<-EOF\n  encoding: b64\n  content: " + _b64(b"export GH=" + t) + b"\nEOF\n", "f", 3
    ),
    "compressed file of cloud-init": Hiding(
        lambda t: b"content: !!binary |\n  " + b"\n  ".join(base64.encodebytes(gzip.compress(t)).split()) + b"\n",
        "f",
        2,
    ),
    "secret in a template of Helm": Hiding(lambda t: b'data:\n  t: {{ "' + _b64(t) + b'" | quote }}\n', "f", 2),
    "release of Helm": Hiding(lambda t: b"data:\n  release: " + _b64(_b64(gzip.compress(b'{"c":"' + t))), "f", 2),
    "properties in escapes": Hiding(lambda t: b"t=" + b"".join(b"\\u%04x" % byte for byte in t) + b"\n", "f"),
    "properties over three lines": Hiding(
        lambda t: b"t=" + t[:10] + b"\\\n    " + t[10:25] + b"\\\n    " + t[25:] + b"\n", "f"
    ),
    "binary column in a dump of SQL": Hiding(
        lambda t: b"INSERT INTO c VALUES (1,0x" + (b'{"t":"' + t + b'"}').hex().upper().encode() + b");\n", "f"
    ),
    "colours in a log with times": Hiding(
        lambda t: b"2024-01-02T03:04:05.12Z \x1b[36;1mT=" + t[:12] + b"\x1b[0m\x1b[36;1m" + t[12:] + b"\x1b[0m\n", "f"
    ),
    "colours in a log of a container": Hiding(
        lambda t: json.dumps({"log": f"\x1b[32mtoken=\x1b[0m{t[:20].decode()}\x1b[0m{t[20:].decode()}\n"}).encode(), "f"
    ),
    "zero-width spaces": Hiding(
        lambda t: b"t: " + t[:9] + "\u200b".encode() + t[9:20] + "\u2060".encode() + t[20:] + b"\n", "f"
    ),
    "letters of full width": Hiding(lambda t: "".join(chr(byte + 0xFEE0) for byte in t).encode() + b"\n", "f"),
    "percent thrice": Hiding(_thrice_escaped, "f"),
    "xz in bzip2 in gzip": Hiding(lambda t: gzip.compress(bz2.compress(lzma.compress(b"t=" + t))), "", 0),
    "long name in a tar of POSIX": Hiding(lambda t: _tar(t, tarfile.PAX_FORMAT), "", 0),
    "long name in a tar of GNU": Hiding(lambda t: _tar(t, tarfile.GNU_FORMAT), "", 0),
    "zip with sizes behind the data": Hiding(_streamed_zip, "f!/x.py"),
    "zip of 64 bits": Hiding(_zip64, "f!/x.py"),
    "quoted-printable mail in base64 in a mail": Hiding(_mail_in_mail, "", 0),
    "base64 in a quoted-printable mail": Hiding(
        lambda t: (
            b"From: a@b.c\nSubject: x\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
            + quopri.encodestring(b"data: " + _b64(b"the token is " + t + b" and more words to fill the line") + b"\n")
        ),
        "",
        0,
    ),
    "comment in UTF-16 in a photograph": Hiding(
        lambda t: b"\xff\xd8\xff\xe1\0\x90Exif\0\0UNICODE\0" + t.decode().encode("utf-16-le") + b"\xff\xd9", "", 0
    ),
    "pieces that JavaScript joins": Hiding(
        lambda t: b'var a=["' + b'","'.join(_pieces(t)) + b'"];f(a.join(""))', "f", 1, "a.min.js"
    ),
    "pieces that a shell adds": Hiding(
        lambda t: b'T="' + t[:12] + b'"\nT+="' + t[12:24] + b'"\nT+="' + t[24:] + b'"\n', "f", 1
    ),
    "pieces that PHP adds": Hiding(lambda t: b"$t = '" + t[:12] + b"';\n$t .= '" + t[12:] + b"';\n", "f", 1),
    "pieces that Visual Basic adds": Hiding(lambda t: b't = "' + t[:12] + b'"\r\nt = t & "' + t[12:] + b'"\r\n', "f"),
    "string that is reversed": Hiding(
        lambda t: b'var t="' + t[::-1] + b'".split("").reverse().join("")', "f", 1, "a.js"
    ),
    "string in rot13": Hiding(
        lambda t: b'codecs.decode("' + codecs.encode(t.decode(), "rot13").encode() + b'", "rot13")', "f"
    ),
    "doubled escapes in JSON": Hiding(lambda t: b'{"s": "' + b"".join(b"\\\\x%02x" % byte for byte in t) + b'"}', "f"),
    "entities in XML in JSON": Hiding(
        lambda t: json.dumps({"x": '<a t="' + "".join(f"&#x{byte:x};" for byte in t) + '"/>'}).encode(), "f"
    ),
    "message of SAML in an address": Hiding(_deflated, "f"),
    "gzip within a program": Hiding(
        lambda t: b"\x7fELF" + bytes(100) + gzip.compress(b"token=" + t) + bytes(100), "", 0
    ),
    "gzip in base64 in percent": Hiding(
        lambda t: b"d=" + urllib.parse.quote(_b64(gzip.compress(b"token=" + t)), safe="").encode(), "f"
    ),
    "a drawing's address in a style sheet": Hiding(
        lambda t: b"a{b:url(data:image/svg+xml;base64," + _b64(b"<svg><!-- " + t + b" --></svg>") + b")}", "f"
    ),
    "object of BSON": Hiding(lambda t: b"\x40\0\0\0\x02token\0" + struct.pack("<i", len(t) + 1) + t + b"\0\0", "", 0),
}
"""Where a report is to say that the token stands; an empty path and line 0 where the format has no lines."""
