"""The kinds of containers, told by the first bytes of what they hold and never by a name."""

from __future__ import annotations

from strongroom.scanner.containers.late import late
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
    Kind("gzip", _begins(b"\x1f\x8b\x08"), late("strongroom.scanner.containers.streams", "open_gzip"), replaces=True),
    Kind(
        "bzip2",
        _begins(*(b"BZh%d1AY&SY" % level for level in range(1, 10))),
        late("strongroom.scanner.containers.streams", "open_bzip2"),
        replaces=True,
    ),
    Kind(
        "xz",
        _begins(b"\xfd7zXZ\0", b"\x5d\0\0\x80\0"),
        late("strongroom.scanner.containers.streams", "open_xz"),
        replaces=True,
    ),
    Kind(
        "zstd", _begins(b"\x28\xb5\x2f\xfd"), late("strongroom.scanner.containers.streams", "open_zstd"), replaces=True
    ),
    Kind(
        "zlib",
        late("strongroom.scanner.containers.streams", "is_zlib"),
        late("strongroom.scanner.containers.streams", "open_zlib"),
        replaces=True,
    ),
    Kind(
        "zip",
        _begins(b"PK\x03\x04", b"PK\x05\x06"),
        late("strongroom.scanner.containers.zips", "open_zip"),
        is_seeked=True,
    ),
    Kind("ar", _begins(b"!<arch>\n"), late("strongroom.scanner.containers.tapes", "open_ar")),
    Kind("cpio", _begins(b"070701", b"070702"), late("strongroom.scanner.containers.tapes", "open_cpio")),
    Kind("rpm", _begins(b"\xed\xab\xee\xdb"), late("strongroom.scanner.containers.tapes", "open_rpm")),
    Kind(
        "7z", _begins(b"7z\xbc\xaf\x27\x1c"), late("strongroom.scanner.containers.seven", "open_seven"), is_seeked=True
    ),
    Kind(
        "bundle of git",
        _begins(b"# v2 git bundle\n", b"# v3 git bundle\n"),
        late("strongroom.scanner.containers.packs", "open_bundle"),
        is_seeked=True,
    ),
    Kind(
        "pack of git",
        _begins(b"PACK\0\0\0\2", b"PACK\0\0\0\3"),
        late("strongroom.scanner.containers.packs", "open_pack"),
        is_seeked=True,
    ),
    Kind(
        "pdf",
        _begins(b"%PDF-"),
        late("strongroom.scanner.containers.portable", "open_pdf"),
        is_seeked=True,
        hides=False,
    ),
    Kind(
        "sqlite",
        _begins(b"SQLite format 3\0"),
        late("strongroom.scanner.containers.database", "open_database"),
        is_seeked=True,
        hides=False,
    ),
    Kind(
        "office markup",
        late("strongroom.scanner.containers.markup", "is_office_markup"),
        late("strongroom.scanner.containers.markup", "open_markup"),
        is_seeked=True,
        replaces=True,
    ),
    Kind(
        "wide text",
        late("strongroom.scanner.containers.wide_text", "is_wide"),
        late("strongroom.scanner.containers.wide_text", "open_wide"),
        replaces=True,
    ),
    Kind(
        "mail",
        late("strongroom.scanner.containers.mail", "is_mail"),
        late("strongroom.scanner.containers.mail", "open_mail"),
        is_seeked=True,
        hides=False,
    ),
    Kind(
        "rich text",
        late("strongroom.scanner.containers.rich_text", "is_rich_text"),
        late("strongroom.scanner.containers.rich_text", "open_rich_text"),
        is_seeked=True,
        hides=False,
    ),
    Kind(
        "png",
        late("strongroom.scanner.containers.pictures", "is_png"),
        late("strongroom.scanner.containers.pictures", "open_png"),
        hides=False,
    ),
    Kind(
        "pyc",
        late("strongroom.scanner.containers.bytecode", "is_bytecode"),
        late("strongroom.scanner.containers.bytecode", "open_bytecode"),
        is_seeked=True,
        hides=False,
    ),
    Kind(
        "tar",
        late("strongroom.scanner.containers.tapes", "is_tar"),
        late("strongroom.scanner.containers.tapes", "open_tar"),
    ),
)


_IS_APPENDED = late("strongroom.scanner.containers.zips", "is_appended")
_APPENDED_ZIP = Kind(
    "zip behind something else",
    lambda _: False,
    late("strongroom.scanner.containers.zips", "open_zip"),
    is_seeked=True,
    hides=False,
)


PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
"""How programs begin, and scripts that their interpreter reads as archives."""


def appended_kind(data: bytes) -> Kind | None:
    """The kind of container that stands at the end of a program or picture (an installer, a zipapp), if there is one."""
    is_text = data.find(b"\0", 0, HEAD_BYTES) < 0 and not data.startswith(b"#!")
    return None if is_text or not _IS_APPENDED(data) else _APPENDED_ZIP


_LETTERS = bytes(code for code in range(128) if chr(code).isalpha())
_FIRSTS = {"zlib": b"x", "office markup": b"\xef\xbb\xbf \r\n\t<", "mail": _LETTERS, "rich text": b"{", "png": b"\x89"}
"""With which bytes the kinds begin that are not told by their first bytes alone. Those that are named nowhere have zeros in their head."""


def _without_zeros(first: int) -> tuple[Kind, ...]:
    """The kinds that may begin with the byte `first` and have no zero in their head: for most texts there is none."""
    return tuple(
        kind
        for kind in KINDS
        if (isinstance(kind.begins, _Starts) and any(magic[0] == first for magic in kind.begins.magics))
        or first in _FIRSTS.get(kind.id, b"")
    )


_PLAIN = tuple(map(_without_zeros, range(256)))


def kind_of(head: bytes) -> Kind | None:
    """The kind of container that begins with `head`, if it is one."""
    for kind in KINDS if b"\0" in head else _PLAIN[head[0]] if head else ():
        if kind.begins(head):
            return kind
    return None


def kind_or_appended(data: bytes) -> Kind | None:
    """The kind of container that `data` is, or else that stands at its end."""
    return kind_of(data[:HEAD_BYTES]) or appended_kind(data)
