"""The kinds of containers, told by the first bytes of what they hold and never by a name."""

from __future__ import annotations

import bz2
import lzma

from strongroom.scanner.containers import (
    bytecode,
    database,
    mail,
    markup,
    pictures,
    portable,
    rich_text,
    seven,
    streams,
    tapes,
    wide_text,
    zips,
)
from strongroom.scanner.containers.member import Kind

HEAD_BYTES = 4096


class _Starts:
    """Whether bytes begin with one of some magic numbers."""

    def __init__(self, magics: tuple[bytes, ...]) -> None:
        self.magics = magics

    def __call__(self, head: bytes) -> bool:
        """True for such a beginning."""
        return head.startswith(self.magics)


def _begins(*magics: bytes) -> _Starts:
    return _Starts(magics)


KINDS = (
    Kind("gzip", _begins(b"\x1f\x8b\x08"), streams.open_gzip, replaces=True),
    Kind(
        "bzip2",
        _begins(*(b"BZh%d1AY&SY" % level for level in range(1, 10))),
        streams.opener(bz2.BZ2Decompressor),
        replaces=True,
    ),
    Kind("xz", _begins(b"\xfd7zXZ\0", b"\x5d\0\0\x80\0"), streams.opener(lzma.LZMADecompressor), replaces=True),
    Kind("zstd", _begins(b"\x28\xb5\x2f\xfd"), streams.opener(streams.zstd_engine), replaces=True),
    Kind(
        "zlib",
        streams.is_zlib,
        streams.opener(streams.zlib_engine),
        replaces=True,
    ),
    Kind("zip", _begins(b"PK\x03\x04", b"PK\x05\x06"), zips.open_zip, is_seeked=True),
    Kind("ar", _begins(b"!<arch>\n"), tapes.open_ar),
    Kind("cpio", _begins(b"070701", b"070702"), tapes.open_cpio),
    Kind("rpm", _begins(b"\xed\xab\xee\xdb"), tapes.open_rpm),
    Kind("7z", _begins(b"7z\xbc\xaf\x27\x1c"), seven.open_seven, is_seeked=True),
    Kind("pdf", _begins(b"%PDF-"), portable.open_pdf, is_seeked=True, hides=False),
    Kind("sqlite", _begins(b"SQLite format 3\0"), database.open_database, is_seeked=True, hides=False),
    Kind("office markup", markup.is_office_markup, markup.open_markup, is_seeked=True, replaces=True),
    Kind("wide text", wide_text.is_wide, wide_text.open_wide, replaces=True),
    Kind("mail", mail.is_mail, mail.open_mail, is_seeked=True, hides=False),
    Kind("rich text", rich_text.is_rich_text, rich_text.open_rich_text, is_seeked=True, hides=False),
    Kind("png", pictures.is_png, pictures.open_png, hides=False),
    Kind("pyc", bytecode.is_bytecode, bytecode.open_bytecode, is_seeked=True, hides=False),
    Kind("tar", tapes.is_tar, tapes.open_tar),
)


_APPENDED_ZIP = Kind("zip behind something else", lambda _: False, zips.open_zip, is_seeked=True, hides=False)


PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
"""How programs begin, and scripts that their interpreter reads as archives."""


def appended_kind(data: bytes) -> Kind | None:
    """The kind of container that stands at the end of a program or picture (an installer, a zipapp), if there is one."""
    is_text = b"\0" not in data[:HEAD_BYTES] and not data.startswith(b"#!")
    return None if is_text or not zips.is_appended(data) else _APPENDED_ZIP


def kind_of(head: bytes) -> Kind | None:
    """The kind of container that begins with `head`, if it is one."""
    for kind in KINDS:
        if kind.begins(head):
            return kind
    return None
