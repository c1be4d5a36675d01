"""Files that hide a token: for each its name, how it is made, and where it is to be found."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import marshal
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LINES = b"first line\nsecond line\n"


@dataclass(frozen=True)
class Hiding:
    """`path` and `line` are where a report is to say that the token stands."""

    write: Callable[[bytes], bytes]
    path: str
    line: int = 1
    name: str = ""


def plain(token: bytes) -> bytes:
    return LINES + b'key = "' + token + b'"\n'


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def ar(files: Mapping[str, bytes]) -> bytes:
    parts = [b"!<arch>\n"]
    for name, content in files.items():
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


def cpio(files: Mapping[str, bytes]) -> bytes:
    parts = []
    for name, content in [*files.items(), ("TRAILER!!!", b"")]:
        mode = 0o100644 if name != "TRAILER!!!" else 0
        fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08x" % value for value in fields) + name.encode() + b"\0"
        parts += [header, b"\0" * (-len(header) % 4), content, b"\0" * (-len(content) % 4)]
    return b"".join(parts)


def rpm(files: Mapping[str, bytes]) -> bytes:
    header = b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", 0, 0)
    return b"\xed\xab\xee\xdb" + b"\0" * 92 + header + header + gzip.compress(cpio(files))


def seven(files: Mapping[str, bytes]) -> bytes:
    import py7zr

    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    from backports import zstd as library

    return library.compress(data)


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
T = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'


def docx(token: bytes) -> bytes:
    text = token.decode()
    runs = f"<w:r><w:t>key {text[:9]}</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>{text[9:]}</w:t></w:r>"
    body = f"<w:p><w:r><w:t>title</w:t></w:r></w:p><w:p>{runs}</w:p>"
    return zipped(
        {"word/document.xml": f"<?xml version='1.0'?><w:document {W}><w:body>{body}</w:body></w:document>".encode()}
    )


def xlsx(token: bytes) -> bytes:
    shared = f"<si><t>first</t></si><si><r><t>{token[:7].decode()}</t></r><r><t>{token[7:].decode()}</t></r></si>"
    return zipped({"xl/sharedStrings.xml": f'<?xml version="1.0"?><sst {S}>{shared}</sst>'.encode()})


def pptx(token: bytes) -> bytes:
    runs = f"<a:p><a:r><a:t>{token[:20].decode()}</a:t></a:r><a:r><a:t>{token[20:].decode()}</a:t></a:r></a:p>"
    return zipped({"ppt/slides/slide1.xml": f'<?xml version="1.0"?><p:sld {A}>{runs}</p:sld>'.encode()})


def odt(token: bytes) -> bytes:
    spans = f"<text:span>{token[:15].decode()}</text:span><text:span>{token[15:].decode()}</text:span>"
    return zipped(
        {"content.xml": f'<?xml version="1.0"?><d {T}><text:p>a</text:p><text:p>{spans}</text:p></d>'.encode()}
    )


def docx_comment(token: bytes) -> bytes:
    note = f"<w:comment w:id='0'><w:p><w:r><w:t>use {token.decode()}</w:t></w:r></w:p></w:comment>"
    return zipped({"word/comments.xml": f"<?xml version='1.0'?><w:comments {W}>{note}</w:comments>".encode()})


def pdf(token: bytes, shown: bytes | None = None, extra: bytes = b"") -> bytes:
    """A page with one line of text, whose content is compressed."""
    content = zlib.compress(shown or b"BT /F1 12 Tf 72 700 Td (" + token + b") Tj ET")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>"
        + extra
        + b">>",
        b"<</Length %d/Filter/FlateDecode>>\nstream\n" % len(content) + content + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    return data + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def sqlite(token: bytes) -> bytes:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE accounts (name TEXT, password TEXT)")
    database.execute("INSERT INTO accounts VALUES ('a', 'b'), ('c', ?)", (token.decode(),))
    database.commit()
    data = database.serialize()
    database.close()
    return data


def sqlite_deleted(token: bytes) -> bytes:
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA secure_delete=OFF")
    database.execute("CREATE TABLE t (v TEXT)")
    database.execute("INSERT INTO t VALUES (?)", (token.decode(),))
    database.execute("DELETE FROM t")
    database.commit()
    data = database.serialize()
    database.close()
    return data


def notebook(token: bytes) -> bytes:
    source = ["import os\n", f'key = "{token[:9].decode()}" + \\\n', f'      "{token[9:].decode()}"\n']
    return json.dumps({"cells": [{"cell_type": "code", "source": source}], "nbformat": 4}, indent=1).encode()


def mail(token: bytes) -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "keys"
    message.set_content("see attached")
    message.add_attachment(zipped({"k.txt": plain(token)}), maintype="application", subtype="zip", filename="k.zip")
    return bytes(message)


def mail_quoted(token: bytes) -> bytes:
    head = b"From: a@example.com\nTo: b@example.com\nSubject: x\nContent-Transfer-Encoding: quoted-printable\n\n"
    return head + b"the key=20is " + token[:20] + b"=\n" + token[20:].replace(b"a", b"=61") + b"\n"


def png(token: bytes, *, compressed: bool) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    text = b"Comment\0\0" + zlib.compress(token) if compressed else b"Comment\0" + token
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"zTXt" if compressed else b"tEXt", text) + pixels + chunk(b"IEND", b"")
    )


def saved_image(token: bytes) -> bytes:
    layer = tarred({"app/settings.env": plain(token)})
    config = b'{"config":{"Env":["A=b"]},"history":[]}'
    manifest = b'[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l/layer.tar"]}]'
    return tarred({"c.json": config, "l/layer.tar": layer, "manifest.json": manifest})


def image_environment(token: bytes) -> bytes:
    config = json.dumps({"config": {"Env": [f"TOKEN={token.decode()}"]}}).encode()
    return tarred({"c.json": config, "manifest.json": b'[{"Config":"c.json","Layers":[]}]'})


def oci_layer(token: bytes) -> bytes:
    return tarred({"index.json": b"{}", "blobs/sha256/ab": gzip.compress(tarred({"etc/k": plain(token)}))})


def wheel(token: bytes) -> bytes:
    return zipped({"a/__init__.py": b"", "a/settings.py": plain(token)})


def jar(token: bytes) -> bytes:
    return zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\nX-Key: " + token + b"\r\n"})


def compiled(token: bytes) -> bytes:
    return b"\xa7\r\r\n" + b"\0" * 12 + marshal.dumps(compile(f"key = {token.decode()!r}", "a.py", "exec"))


HIDINGS: dict[str, Hiding] = {
    "plain": Hiding(plain, "f", 3),
    "a lock file": Hiding(plain, "package-lock.json", 3, "package-lock.json"),
    "node_modules": Hiding(plain, "node_modules/x/index.js", 3, "node_modules/x/index.js"),
    "a hidden file": Hiding(plain, ".env", 3, ".env"),
    "minified code": Hiding(lambda t: b"var a=1;" * 20000 + b'k="' + t + b'";' + b"x()" * 20000, "f"),
    "CSV": Hiding(lambda t: b"id,key\n1,abc\n2," + t + b"\n", "f", 3),
    "zip": Hiding(lambda t: zipped({"x/y.py": plain(t)}), "f!/x/y.py", 3),
    "zip comment": Hiding(lambda t: with_comment(zipped({"a": b""}), t), "f!/<comment>", 1),
    "tar": Hiding(lambda t: tarred({"x/y.py": plain(t)}), "f!/x/y.py", 3),
    "tar.gz": Hiding(lambda t: gzip.compress(tarred({"x/y.py": plain(t)})), "f!/x/y.py", 3),
    "tar.xz": Hiding(lambda t: lzma.compress(tarred({"x/y.py": plain(t)})), "f!/x/y.py", 3),
    "tar.bz2": Hiding(lambda t: bz2.compress(tarred({"x/y.py": plain(t)})), "f!/x/y.py", 3),
    "tar.zst": Hiding(lambda t: zstd(tarred({"x/y.py": plain(t)})), "f!/x/y.py", 3),
    "gz": Hiding(lambda t: gzip.compress(plain(t)), "f", 3),
    "zip in tar.gz": Hiding(lambda t: gzip.compress(tarred({"i.zip": zipped({"k": plain(t)})})), "f!/i.zip!/k", 3),
    "7z": Hiding(lambda t: seven({"x/y.py": plain(t)}), "f!/x/y.py", 3),
    "deb": Hiding(
        lambda t: ar({"debian-binary": b"2.0\n", "data.tar.xz": lzma.compress(tarred({"./k": plain(t)}))}),
        "f!/data.tar.xz!/./k",
        3,
    ),
    "rpm": Hiding(lambda t: rpm({"./etc/k": plain(t)}), "f!/<payload>!/etc/k", 3),
    "cpio": Hiding(lambda t: cpio({"k": plain(t)}), "f!/k", 3),
    "wheel": Hiding(wheel, "f!/a/settings.py", 3),
    "npm tgz": Hiding(lambda t: gzip.compress(tarred({"package/index.js": plain(t)})), "f!/package/index.js", 3),
    "gem": Hiding(
        lambda t: tarred({"data.tar.gz": gzip.compress(tarred({"lib/a.rb": plain(t)}))}), "f!/data.tar.gz!/lib/a.rb", 3
    ),
    "jar manifest": Hiding(jar, "f!/META-INF/MANIFEST.MF", 2),
    "docx, two runs": Hiding(docx, "f!/word/document.xml", 2),
    "docx comment": Hiding(docx_comment, "f!/word/comments.xml"),
    "xlsx, two runs": Hiding(xlsx, "f!/xl/sharedStrings.xml", 2),
    "pptx, two runs": Hiding(pptx, "f!/ppt/slides/slide1.xml"),
    "odt, two spans": Hiding(odt, "f!/content.xml", 2),
    "pdf": Hiding(pdf, "f!/page 1"),
    "pdf, text in pieces": Hiding(
        lambda t: pdf(t, b"BT /F1 12 Tf 72 700 Td [(" + t[:8] + b") 0 (" + t[8:] + b")] TJ ET"), "f!/page 1"
    ),
    "pdf link": Hiding(
        lambda t: pdf(b"", b"BT ET", b"/Annots[<</Subtype/Link/A<</S/URI/URI(https://x/" + t + b")>>>>]"),
        "f!/page 1",
        2,
    ),
    "pdf without its tables": Hiding(lambda t: pdf(t).replace(b"/Root", b"/Toor"), "f!/page 1"),
    "sqlite": Hiding(sqlite, "f!/accounts", 2),
    "sqlite, deleted row": Hiding(sqlite_deleted, "f"),
    "notebook, two lines": Hiding(notebook, "f", 7, "n.ipynb"),
    "mail attachment": Hiding(mail, "f!/k.zip!/k.txt", 3),
    "quoted-printable mail": Hiding(mail_quoted, "f!/part 1"),
    "png text": Hiding(lambda t: png(t, compressed=False), "f", 3),
    "png compressed text": Hiding(lambda t: png(t, compressed=True), "f!/zTXt"),
    "after a picture": Hiding(lambda t: png(b"", compressed=False) + b"\n" + t, "f", 5),
    "docker save": Hiding(saved_image, "f!/l/layer.tar!/app/settings.env", 3),
    "image environment": Hiding(image_environment, "f!/c.json"),
    "OCI layer": Hiding(oci_layer, "f!/blobs/sha256/ab!/etc/k", 3),
    "pyc": Hiding(compiled, "f!/<strings>"),
    "program": Hiding(lambda t: b"\x7fELF\x02\x01\x01" + b"\0" * 64 + t + b"\0" * 64, "f"),
    "UTF-16 with mark": Hiding(lambda t: plain(t).decode().encode("utf-16"), "f", 3),
    "UTF-16 without mark": Hiding(lambda t: plain(t).decode().encode("utf-16-be"), "f", 3),
    "UTF-32": Hiding(lambda t: plain(t).decode().encode("utf-32"), "f", 3),
    "base64": Hiding(lambda t: LINES + base64.b64encode(b"key " + t), "f", 3),
    "zip in base64": Hiding(lambda t: LINES + base64.b64encode(zipped({"k": plain(t)})), "f", 3),
    "gzip in base64": Hiding(lambda t: LINES + base64.b64encode(gzip.compress(t)), "f", 3),
    "hex": Hiding(lambda t: LINES + t.hex().encode(), "f", 3),
    "HTML entities": Hiding(lambda t: LINES + "".join(f"&#{byte};" for byte in t).encode(), "f", 3),
    "an HTML entity": Hiding(lambda t: LINES + t.replace(b"_", b"&#95;"), "f", 3),
    "percent": Hiding(lambda t: LINES + b"".join(b"%%%02x" % byte for byte in t), "f", 3),
    "two literals": Hiding(lambda t: LINES + b'k = "' + t[:11] + b'" + "' + t[11:] + b'"', "f", 3),
    "two lines": Hiding(lambda t: LINES + b'k = ("' + t[:11] + b'"\n     "' + t[11:] + b'")', "f", 3),
    "escaped JSON in JSON": Hiding(
        lambda t: LINES + json.dumps(json.dumps({"k": html.escape(t.decode())})).encode(), "f", 3
    ),
}


def with_comment(archive: bytes, comment: bytes) -> bytes:
    return archive[:-2] + struct.pack("<H", len(comment)) + comment
