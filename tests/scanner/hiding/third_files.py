"""Still more files that hide a token: formats, encodings and places that came up after the others were found."""

from __future__ import annotations

import base64
import gzip
import io
import json
import lzma
import os
import pickle
import plistlib
import quopri
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from tests.scanner.hiding.files import Hiding, tarred, zipped

_LINE = b"first line\nsecond line\n"


def _git(folder: str, *words: str, given: bytes | None = None) -> bytes:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, input=given, env=environment
    ).stdout


def _repository(folder: str, files: Mapping[str, bytes], message: bytes) -> None:
    _git(folder, "init", "-q")
    for name, content in files.items():
        Path(folder, name).write_bytes(content)
        _git(folder, "add", name)
    _git(folder, "commit", "-qF", "-", given=message)


def bundle(token: bytes, *, deleted: bool = True, message: bytes = b"") -> bytes:
    """A bundle whose second commit takes the token out of a file again: one version is stored as a difference to the other."""
    filler = b"".join(b"line number %d of a file that is long enough\n" % number for number in range(200))
    with tempfile.TemporaryDirectory() as folder:
        _repository(folder, {"a.txt": filler + (b"" if message else b'key = "' + token + b'"\n')}, message or b"one")
        if deleted:
            Path(folder, "a.txt").write_bytes(filler)
            _git(folder, "commit", "-qam", "two")
        _git(folder, "repack", "-adfq", "--depth=50")
        _git(folder, "bundle", "create", "-q", "f.bundle", "--all")
        return Path(folder, "f.bundle").read_bytes()


def pack(token: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _repository(folder, {"a.txt": b'key = "' + token + b'"\n'}, b"one")
        return _git(folder, "pack-objects", "--all", "--stdout", given=b"")


def binary_patch(token: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _repository(folder, {"a": b"x"}, b"one")
        Path(folder, "b.bin").write_bytes(bytes(range(256)) * 3 + b' key = "' + token + b'" ' + b"\0\1\2" * 99)
        _git(folder, "add", "b.bin")
        return _git(folder, "diff", "--cached", "--binary")


def patch_mail(token: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _repository(folder, {"a": b"x"}, b"one")
        Path(folder, "a").write_bytes(b'key = "' + token + b'"\n')
        _git(folder, "commit", "-qam", "two")
        return _git(folder, "format-patch", "-1", "--stdout")


def _z85(text: bytes) -> bytes:
    letters = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    others = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    return base64.b85encode(text + b" " * (-len(text) % 4)).translate(bytes.maketrans(others, letters))


def _half(token: bytes) -> tuple[bytes, bytes]:
    return token[:15], token[15:]


THIRD_HIDINGS = {
    "bundle of git": Hiding(bundle, "", 201),
    "message in a bundle of git": Hiding(
        lambda t: bundle(t, deleted=False, message=b"subject\n\nkey is " + t + b"\n"), "", 3
    ),
    "pack of git": Hiding(pack, ""),
    "bundle of git in a zip": Hiding(lambda t: zipped({"x.bundle": bundle(t)}), "", 201),
    "binary patch of git": Hiding(binary_patch, "", 0),
    "patch as a mail": Hiding(patch_mail, "", 0),
    "ascii85": Hiding(lambda t: _LINE + b'a85decode("' + base64.a85encode(b"key=" + t) + b'")\n', "f", 3),
    "framed ascii85": Hiding(lambda t: _LINE + base64.a85encode(b"key = " + t, adobe=True) + b"\n", "f", 3),
    "base85": Hiding(lambda t: _LINE + b"k = base64.b85decode(b'" + base64.b85encode(b"key=" + t) + b"')\n", "f", 3),
    "z85": Hiding(lambda t: _LINE + b'z85: "' + _z85(b"key=" + t) + b'"\n', "f", 3),
    "utf-7": Hiding(lambda t: _LINE + b"key+AD0-" + t.replace(b"_", b"+AF8-") + b"\n", "f", 3),
    "pickle": Hiding(lambda t: pickle.dumps({"key": t.decode(), "other": [1, 2, 3]}), "", 0),
    "pickle with old protocol": Hiding(lambda t: pickle.dumps({"key": t.decode()}, protocol=0), "", 0),
    "binary property list": Hiding(lambda t: plistlib.dumps({"key": t.decode()}, fmt=plistlib.FMT_BINARY), "", 0),
    "numbers of characters in hex": Hiding(
        lambda t: _LINE + b"k = {" + b", ".join(b"0x%02x" % code for code in t) + b"}\n", "f", 3
    ),
    "character codes of JavaScript": Hiding(
        lambda t: _LINE + b"String.fromCharCode(" + b",".join(b"%d" % code for code in t) + b")\n", "f", 3
    ),
    "octal numbers": Hiding(lambda t: _LINE + b"printf '" + b"".join(b"\\%03o" % code for code in t) + b"'\n", "f", 3),
    "hex in a query of SQL": Hiding(lambda t: _LINE + b"SELECT UNHEX('" + t.hex().encode() + b"');\n", "f", 3),
    "hex with colons": Hiding(lambda t: _LINE + b"key: " + t.hex(":").encode() + b"\n", "f", 3),
    "hex with a prefix for each byte": Hiding(
        lambda t: _LINE + b'"' + b"".join(b"\\x%02x" % code for code in t) + b'"\n', "f", 3
    ),
    "rows of xxd": Hiding(lambda t: _xxd(b"some text before it, key=" + t + b" and more"), "", 0),
    "rows of xxd after binary rows": Hiding(lambda t: _xxd(bytes(range(200, 232)) + b"key = " + t + b" "), "", 0),
    "string in Go of several lines": Hiding(
        lambda t: _LINE + b'k := "' + _half(t)[0] + b'" +\n\t"' + _half(t)[1] + b'"\n', "f", 3
    ),
    "string in Rust with concat": Hiding(
        lambda t: _LINE + b'concat!("' + _half(t)[0] + b'", "' + _half(t)[1] + b'")\n', "f", 3
    ),
    "string in Visual Basic": Hiding(
        lambda t: _LINE + b'k = "' + _half(t)[0] + b'" & _\r\n    "' + _half(t)[1] + b'"\r\n', "f", 3
    ),
    "string in PowerShell": Hiding(lambda t: _LINE + b"$k = '" + _half(t)[0] + b"' + '" + _half(t)[1] + b"'\n", "f", 3),
    "continued line of a Dockerfile": Hiding(
        lambda t: _LINE + b"ENV KEY=" + _half(t)[0] + b"\\\n" + _half(t)[1] + b"\n", "f", 3
    ),
    "folded scalar": Hiding(lambda t: _LINE + b"key: >-\n  " + _half(t)[0] + b"\n  " + _half(t)[1] + b"\n", "", 0),
    "tagged scalar in base64": Hiding(
        lambda t: _LINE + b"data: !!binary |\n  " + base64.b64encode(b"key = " + t) + b"\n", "f", 4
    ),
    "JSON with escaped letters": Hiding(
        lambda t: _LINE + b'{"k": "' + b"".join(b"\\u%04x" % code for code in t) + b'"}\n', "f", 3
    ),
    "numeric entities": Hiding(lambda t: _LINE + b"<b>" + b"".join(b"&#%d;" % code for code in t) + b"</b>\n", "f", 3),
    "percent twice": Hiding(lambda t: _LINE + b"?k=" + t.replace(b"_", b"%255F") + b"\n", "f", 3),
    "base64 twice": Hiding(lambda t: _LINE + base64.b64encode(base64.b64encode(b"key = " + t)) + b"\n", "f", 3),
    "base64 of an address": Hiding(
        lambda t: _LINE + b"data:text/plain;base64," + base64.b64encode(b"https://h/?key=" + t) + b"\n", "f", 3
    ),
    "base64 for addresses, without padding": Hiding(
        lambda t: _LINE + base64.urlsafe_b64encode(b"\xff\xfe?>key = " + t).rstrip(b"=") + b"\n", "f", 3
    ),
    "base32 in lower groups": Hiding(lambda t: _LINE + base64.b32encode(b"key = " + t) + b"\n", "f", 3),
    "zlib in base64": Hiding(
        lambda t: _LINE + base64.b64encode(zlib.compress(b"key = " + t + b" " + t)) + b"\n", "", 0
    ),
    "xz in base64": Hiding(lambda t: _LINE + base64.b64encode(lzma.compress(b"key = " + t)) + b"\n", "", 0),
    "gzip in hex": Hiding(lambda t: _LINE + gzip.compress(b"key = " + t).hex().encode() + b"\n", "f", 3),
    "soft line breaks in a mail": Hiding(
        lambda t: (
            b"MIME-Version: 1.0\nFrom: a@b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
            + quopri.encodestring(b"x" * 60 + b" " + t + b"\n")
        ),
        "",
        0,
    ),
    "a page saved as MHTML": Hiding(
        lambda t: (
            b"MIME-Version: 1.0\nFrom: <saved>\nSubject: x\nContent-Type: multipart/related; boundary=B\n\n--B\n"
            b"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(b"<p>key = " + t + b"</p>")
            + b"\n--B--\n"
        ),
        "",
        0,
    ),
    "invitation": Hiding(
        lambda t: b"BEGIN:VCALENDAR\r\nDESCRIPTION:the key is " + t[:20] + b"\r\n " + t[20:] + b"\r\nEND:VCALENDAR\r\n",
        "",
        0,
    ),
    "card with folded lines": Hiding(
        lambda t: b"BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:" + t[:30] + b"\r\n " + t[30:] + b"\r\nEND:VCARD\r\n", "", 0
    ),
    "entry of LDIF in base64": Hiding(
        lambda t: _LINE + b"description:: " + base64.b64encode(b"key = " + t) + b"\n", "f", 3
    ),
    "entry of LDIF over lines": Hiding(
        lambda t: _LINE + b"dn: cn=x,dc=y\ndescription: " + t[:20] + b"\n " + t[20:] + b"\n", "", 0
    ),
    "subtitles": Hiding(lambda t: b"1\n00:00:01,000 --> 00:00:02,000\n<i>" + t + b"</i>\n", "f", 3),
    "drawing with pieces": Hiding(
        lambda t: b"<svg><text><tspan>" + t[:12] + b"</tspan><tspan>" + t[12:] + b"</tspan></text></svg>\n", "f", 1
    ),
    "layer within a compressed layer": Hiding(
        lambda t: gzip.compress(tarred({"layer.tar": tarred({"etc/k": b"k=" + t})})), "f!/layer.tar!/etc/k"
    ),
    "zip with bzip2": Hiding(lambda t: _zip_by(t, zipfile.ZIP_BZIP2), "f!/x.txt"),
    "zip with lzma": Hiding(lambda t: _zip_by(t, zipfile.ZIP_LZMA), "f!/x.txt"),
    "package of Python in a zip": Hiding(
        lambda t: zipped({"a-1.whl": zipped({"a/__init__.py": b"K='" + t + b"'\n"})}), "f!/a-1.whl!/a/__init__.py"
    ),
    "lines of JSON that hold JSON": Hiding(
        lambda t: json.dumps({"log": json.dumps({"m": 'k="' + t.decode() + '"'}) + "\n"}).encode() + b"\n", "f", 1
    ),
    "colours of a terminal": Hiding(lambda t: _LINE + t[:9] + b"\x1b[31m" + t[9:] + b"\x1b[0m\n", "f", 3),
    "UTF-16 within a program": Hiding(
        lambda t: b"MZ" + bytes(range(256)) + ("key=" + t.decode()).encode("utf-16-le") + bytes(99), "", 0
    ),
}


def _zip_by(token: bytes, method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("x.txt", b"key = " + token)
    return buffer.getvalue()


def _xxd(data: bytes) -> bytes:
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        pairs = b" ".join(row[i : i + 2].hex().encode() for i in range(0, len(row), 2))
        shown = bytes(code if 32 <= code < 127 else 46 for code in row)
        rows.append(b"%08x: %-39s  %s\n" % (at, pairs, shown))
    return b"".join(rows)
