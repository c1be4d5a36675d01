"""More files that hide a token, as they lie about in real projects. Each is searched through the command line alone; a path of "" and a line of 0 are any."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import plistlib
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from tests.scanner.hiding.files import A, Hiding, S, T, W, tarred, zipped

b64 = base64.b64encode


def halves(token: bytes, first: bytes, second: bytes) -> bytes:
    """The token with something between its halves."""
    return token[:9] + first + second + token[9:]


def office(part: str, content: str, kind: str = "word/document.xml") -> bytes:
    """A document whose text is in another part than the usual one."""
    return zipped({"[Content_Types].xml": b"<Types/>", kind: b"<x/>", part: content.encode()})


def runs(token: bytes, tag: str) -> str:
    """The token in two runs of text."""
    return f"<{tag}>{token[:9].decode()}</{tag}><{tag}>{token[9:].decode()}</{tag}>"


def word(part: str, tag: str = "w:t") -> Hiding:
    return Hiding(lambda t: office(part, f"<w:x {W}><w:p>{runs(t, tag)}</w:p></w:x>"), f"f!/{part}")


def class_file(token: bytes) -> bytes:
    constants = struct.pack(">BH", 1, len(token)) + token + struct.pack(">BH", 8, 1)
    return b"\xca\xfe\xba\xbe\0\0\0\x34" + struct.pack(">H", 3) + constants + b"\0" * 20


def zip_with(entry: zipfile.ZipInfo) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(entry, b"")
    return buffer.getvalue()


def with_extra_field(token: bytes) -> bytes:
    entry = zipfile.ZipInfo("a")
    entry.extra = struct.pack("<HH", 0x7075, len(token) + 5) + b"\1\0\0\0\0" + token
    return zip_with(entry)


def with_comment_on_entry(token: bytes) -> bytes:
    entry = zipfile.ZipInfo("a")
    entry.comment = b"key " + token
    return zip_with(entry)


def unlisted(token: bytes) -> bytes:
    hidden, shown = zipped({"hidden.txt": b"x " * 30 + token}), zipped({"shown.txt": b"nothing"})
    return hidden[: hidden.index(b"PK\1\2")] + shown


def tar_entry(**fields: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("a")
        for name, value in fields.items():
            setattr(entry, name, value)
        archive.addfile(entry)
    return buffer.getvalue()


def gzip_named(token: bytes) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(token.decode(), "wb", fileobj=buffer, mtime=0) as file:
        file.write(b"nothing")
    return buffer.getvalue()


def database(*statements: str, values: tuple[object, ...] = (), suffix: str = "") -> bytes:
    """The bytes of a database, or of its write-ahead log, after some statements; the values are for the last one."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder, "a.db"))
        for statement in statements[:-1]:
            connection.execute(statement)
        connection.execute(statements[-1], values)
        connection.commit()
        content = Path(folder, "a.db" + suffix).read_bytes()
        connection.close()
    return content


def pdf_of(*objects: bytes) -> bytes:
    """A PDF with these objects, of which the first is the catalogue."""
    out, places = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return (
        out + head + table + b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, len(out))
    )


CATALOGUE = b"<</Type/Catalog/Pages 2 0 R%b>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]%b>>"


def pdf_stream(fields: bytes, content: bytes) -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (fields, len(content), content)


def pdf_object_stream(token: bytes) -> bytes:
    packed = zlib.compress(b"4 0 <</FT/Tx/T(token)/V(" + token + b")>>")
    stream = pdf_stream(b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", packed)
    return pdf_of(CATALOGUE % b"", PAGES, PAGE % b"", stream)


def pdf_attachment(token: bytes) -> bytes:
    content = base64.a85encode(zlib.compress(b"key " + token)) + b"~>"
    file = pdf_stream(b"/Type/EmbeddedFile/Filter[/ASCII85Decode/FlateDecode]", content)
    names = CATALOGUE % b"/Names<</EmbeddedFiles<</Names[(a)4 0 R]>>>>"
    return pdf_of(names, PAGES, PAGE % b"", b"<</Type/Filespec/F(a.txt)/EF<</F 5 0 R>>>>", file)


CONFIGURATION = {
    ".npmrc": Hiding(lambda t: b"//npm.pkg.github.com/:_authToken=" + t + b"\n", "", 1, ".npmrc"),
    ".netrc": Hiding(lambda t: b"machine github.com login me password " + t + b"\n", "", 1, ".netrc"),
    ".git-credentials": Hiding(lambda t: b"https://me:" + t + b"@github.com\n", "", 1, ".git-credentials"),
    "secret of Kubernetes": Hiding(lambda t: b"kind: Secret\ndata:\n  token: " + b64(t) + b"\n", "", 3, "s.yaml"),
    "registry's secret of Kubernetes": Hiding(
        lambda t: b"data:\n  .dockerconfigjson: " + b64(b'{"auths":{"r":{"auth":"' + b64(b"me:" + t) + b'"}}}'), "", 2
    ),
    "configuration of Docker": Hiding(
        lambda t: b'{"auths":{"ghcr.io":{"auth":"' + b64(b"me:" + t) + b'"}}}', "", 1, "config.json"
    ),
    "state of Terraform": Hiding(
        lambda t: json.dumps({"resources": [{"attributes": {"token": t.decode()}}]}, indent=1).encode(), "", 5
    ),
    "JSON within JSON": Hiding(
        lambda t: json.dumps({"v": json.dumps({"a": json.dumps({"t": f"x\n{t.decode()}"})})}).encode(), ""
    ),
    "credentials of Jenkins": Hiding(lambda t: b"<list>\n<secret>" + t + b"</secret></list>", "", 2, "credentials.xml"),
    "recorded request": Hiding(
        lambda t: json.dumps({"headers": [{"name": "Authorization", "value": f"Bearer {t.decode()}"}]}).encode(), ""
    ),
    "recorded answer": Hiding(lambda t: json.dumps({"text": b64(b'{"token":"' + t + b'"}').decode()}).encode(), ""),
    "registry export": Hiding(lambda t: f'[A]\r\n"Token"="{t.decode()}"\r\n'.encode("utf-16"), "", 2, "a.reg"),
    "property list": Hiding(lambda t: plistlib.dumps({"t": t.decode()}, fmt=plistlib.FMT_BINARY), ""),
    "property list in UTF-16": Hiding(lambda t: plistlib.dumps({"t": f"{t.decode()} ü"}, fmt=plistlib.FMT_BINARY), ""),
    "data in a property list": Hiding(
        lambda t: b"<plist><data>\n\t" + b64(b"a " + t)[:28] + b"\n\t" + b64(b"a " + t)[28:] + b"\n</data>", "", 2
    ),
    "source map": Hiding(
        lambda t: json.dumps({"sourcesContent": [f'a = "{t[:9].decode()}" +\n "{t[9:].decode()}";\n']}).encode(), ""
    ),
    "source map in a comment": Hiding(
        lambda t: b"x()\n//# sourceMappingURL=data:application/json;base64," + b64(b'{"s":["t=\\"' + t + b'\\""]}'),
        "",
        2,
    ),
    "payload of a JSON web token": Hiding(
        lambda t: b'x = "eyJhbGciOiJIUzI1NiJ9.' + b64(b'{"sub":"1","gh":"' + t + b'"}').rstrip(b"=") + b'.AAAA"', ""
    ),
    "shell history": Hiding(lambda t: b"#1610000000\nexport GH=" + t + b"\n", "", 2, ".bash_history"),
    "swap file": Hiding(lambda t: b"b0VIM 8.1\0" + b"\0" * 4086 + b"ad" + b"\0" * 300 + t + b"\0line\0", ""),
    "class of Java": Hiding(class_file, ""),
    "class in a jar in a war": Hiding(
        lambda t: zipped({"WEB-INF/lib/a.jar": zipped({"A.class": class_file(t)})}), "f!/WEB-INF/lib/a.jar!/A.class"
    ),
    "WebAssembly": Hiding(lambda t: b"\0asm\1\0\0\0\x0b\x2f\1\0\x41\0\x0b" + bytes([len(t)]) + t, ""),
    "quoted CSV": Hiding(lambda t: b'a,"x ""' + t + b'"" y"\n', ""),
    "old line ends": Hiding(lambda t: b"a\rb\r" + t + b"\rc\r", ""),
}
DOCUMENTS = {
    "header of a document": word("word/header1.xml"),
    "footnote": word("word/footnotes.xml"),
    "deleted text": word("word/document2.xml", "w:delText"),
    "property of a document": Hiding(
        lambda t: office("docProps/custom.xml", f"<P><vt:lpwstr>{t.decode()}</vt:lpwstr></P>"), "f!/docProps/custom.xml"
    ),
    "link of a document": Hiding(
        lambda t: office("word/_rels/a.rels", f'<R Target="https://u:{t.decode()}@github.com"/>'),
        "f!/word/_rels/a.rels",
    ),
    "table in a document": Hiding(
        lambda t: zipped({"word/embeddings/x.xlsx": zipped({"xl/sharedStrings.xml": b"<sst>" + t + b"</sst>"})}),
        "f!/word/embeddings/x.xlsx!/xl/sharedStrings.xml",
    ),
    "cell with its own text": Hiding(
        lambda t: office("xl/worksheets/sheet1.xml", f"<w {S}><c><is>{runs(t, 't')}</is></c></w>"), ""
    ),
    "formula": Hiding(lambda t: office("xl/worksheets/sheet1.xml", f"<w {S}><f>&quot;{t.decode()}&quot;</f></w>"), ""),
    "comment on a cell": Hiding(lambda t: office("xl/comments1.xml", f"<c {S}>{runs(t, 't')}</c>"), ""),
    "name of a range": Hiding(
        lambda t: office("xl/workbook.xml", f'<w {S}><definedName name="x">"{t.decode()}"</definedName></w>', "a"), ""
    ),
    "notes of a speaker": Hiding(
        lambda t: office("ppt/notesSlides/notesSlide1.xml", f"<p:n {A}><a:p>{runs(t, 'a:t')}</a:p></p:n>"), ""
    ),
    "open spreadsheet": Hiding(
        lambda t: zipped({"content.xml": f"<d {T}><text:p>{runs(t, 'text:span')}</text:p></d>".encode()}), ""
    ),
    "electronic book": Hiding(
        lambda t: zipped({"OEBPS/c.xhtml": b"<p>" + halves(t, b"<b>", b"<i class='x'>") + b"</i></b></p>"}), ""
    ),
    "drawing": Hiding(lambda t: b"<svg><text>" + halves(t, b"<tspan>", b"") + b"</tspan></text></svg>", ""),
    "rich text": Hiding(lambda t: b"{\\rtf1\\ansi Token: " + halves(t, b"}", b"{\\b ") + b"}\\par}", "f!/<text>"),
    "escaped rich text": Hiding(lambda t: b"{\\rtf1\\ansi " + t.replace(b"_", b"\\'5f") + b"\\par}", "f!/<text>"),
    "annotation of a PDF": Hiding(
        lambda t: pdf_of(CATALOGUE % b"", PAGES, PAGE % (b"/Annots[<</Subtype/Text/Contents(" + t + b")>>]")), "", 0
    ),
    "title of a PDF in UTF-16": Hiding(
        lambda t: pdf_of(
            CATALOGUE % b"", PAGES, PAGE % (b"/Title<FEFF" + t.decode().encode("utf-16-be").hex().encode() + b">")
        ),
        "",
        0,
    ),
    "form in an object stream": Hiding(pdf_object_stream, ""),
    "attachment of a PDF": Hiding(pdf_attachment, ""),
    "script of a PDF": Hiding(
        lambda t: pdf_of(CATALOGUE % (b'/OpenAction<</S/JavaScript/JS(k="' + t + b'")>>'), PAGES, PAGE % b""), "", 0
    ),
    "write-ahead log": Hiding(
        lambda t: database(
            "PRAGMA journal_mode=wal",
            "CREATE TABLE t(a)",
            "INSERT INTO t VALUES(?)",
            values=(f"k {t.decode()}",),
            suffix="-wal",
        ),
        "",
        0,  # the salts of the log are random, and may hold the end of a line
    ),
    "packed value in a database": Hiding(
        lambda t: database("CREATE TABLE t(a)", "INSERT INTO t VALUES(?)", values=(gzip.compress(b"k " + t),)),
        "f!/t!/<value 1>",
    ),
    "default in a schema": Hiding(lambda t: database(f"CREATE TABLE t(a DEFAULT '{t.decode()}')"), ""),
    "database in UTF-16": Hiding(
        lambda t: database(
            "PRAGMA encoding='UTF-16'", "CREATE TABLE t(a)", "INSERT INTO t VALUES(?)", values=(t.decode(),)
        ),
        "f!/t",
    ),
    "output of a notebook": Hiding(
        lambda t: json.dumps({"cells": [{"outputs": [{"text": ["env\n", f"TOKEN={t.decode()}\n"]}]}]}).encode(), ""
    ),
    "subject of a mail": Hiding(lambda t: b"From: a@b\r\nSubject: =?utf-8?B?" + b64(t) + b"?=\r\n\r\nhi\r\n", "", 2),
    "second mail of a mailbox": Hiding(
        lambda t: (
            b"From a@b Sat Jan  1 00:00:00 2022\nFrom: a@b\nTo: c\nSubject: x\n\nhi\n\n"
            b"From c@d Sat Jan  1 00:00:00 2022\nFrom: c@d\nTo: c\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(b"key " + t)
        ),
        "",
    ),
}
PACKED = {
    "name of a file": Hiding(lambda _: b"nothing", ""),
    "entry's name in a zip": Hiding(lambda t: zipped({f"keys/{t.decode()}.txt": b""}), ""),
    "entry's comment in a zip": Hiding(with_comment_on_entry, "f!/a!/<comment>"),
    "entry's extra field in a zip": Hiding(with_extra_field, "f!/a!/<extra field>"),
    "entry that a zip does not list": Hiding(unlisted, "f!/hidden.txt"),
    "zip named as a picture": Hiding(lambda t: zipped({"k": b"k " + t}), "f.jpg!/k", 1, "f.jpg"),
    "zip behind a program": Hiding(lambda t: b"MZ" + b"\0" * 3000 + zipped({"k": b"k " + t}), "f!/k"),
    "zip behind a first line": Hiding(lambda t: b"#!/usr/bin/env python3\n" + zipped({"k": b"k " + t}), "f!/k"),
    "zip in a tar.gz in a document": Hiding(
        lambda t: (
            office("word/document.xml", "<x/>")[:0]
            + zipped({"word/media/x": gzip.compress(tarred({"a.zip": zipped({"k": t})}))})
        ),
        "f!/word/media/x!/a.zip!/k",
    ),
    "name in a tar": Hiding(lambda t: tar_entry(name=f"keys/{t.decode()}", type=tarfile.DIRTYPE), ""),
    "target of a link in a tar": Hiding(
        lambda t: tar_entry(type=tarfile.SYMTYPE, linkname=f"https://u:{t.decode()}@github.com"), "f!/a"
    ),
    "comment in a tar": Hiding(lambda t: tar_entry(pax_headers={"comment": f"k {t.decode()}"}), "f!/a!/<header>"),
    "tar behind a tar": Hiding(lambda t: tarred({"a": b"x"}) + tarred({"b": b"k " + t}), "f!/b"),
    "name in a gzip": Hiding(gzip_named, "f"),
    "comment in a gzip": Hiding(
        lambda t: b"\x1f\x8b\x08\x10" + b"\0" * 6 + b"k " + t + b"\0" + gzip.compress(b"hi")[10:], "f"
    ),
    "second of two gzips": Hiding(lambda t: gzip.compress(b"one\n") + gzip.compress(b"k " + t), "f", 2),
    "comment of a JPEG": Hiding(lambda t: b"\xff\xd8\xff\xfe" + struct.pack(">H", len(t) + 2) + t + b"\xff\xd9", "f"),
    "comment of a GIF": Hiding(lambda t: b"GIF89a\1\0\1\0\0\0\0!\xfe" + bytes([len(t)]) + t + b"\0;", "f"),
    "tag of a song": Hiding(lambda t: b"ID3\3\0\0\0\0\1\0COMM\0\xff\xfe" + t.decode().encode("utf-16-le"), "f"),
    "mailed with uuencode": Hiding(lambda t: b"begin 644 k\n" + binascii.b2a_uu(b"k " + t) + b"`\nend\n", "f", 2),
}
MORE_HIDINGS = {**CONFIGURATION, **DOCUMENTS, **PACKED}
