"""The kinds of containers, told by the first bytes of what they hold and never by a name."""

from __future__ import annotations

import bz2
import lzma

from strongroom.scanner.containers import streams, tapes, zips
from strongroom.scanner.containers.member import Kind

HEAD_BYTES = 4096


def _starts(*magics: bytes) -> Starts:
    return Starts(magics)


class Starts:
    """Whether bytes begin with one of some magic numbers."""

    def __init__(self, magics: tuple[bytes, ...]) -> None:
        self.magics = magics

    def __call__(self, head: bytes) -> bool:
        """True for such a beginning."""
        return head.startswith(self.magics)


KINDS = (
    Kind("gzip", _starts(b"\x1f\x8b\x08"), streams.opener(streams.gzip_engine), replaces=True),
    Kind(
        "bzip2",
        _starts(*(b"BZh%d1AY&SY" % level for level in range(1, 10))),
        streams.opener(bz2.BZ2Decompressor),
        replaces=True,
    ),
    Kind("xz", _starts(b"\xfd7zXZ\0", b"\x5d\0\0\x80\0"), streams.opener(lzma.LZMADecompressor), replaces=True),
    Kind("zstd", _starts(b"\x28\xb5\x2f\xfd"), streams.opener(streams.zstd_engine), replaces=True),
    Kind(
        "zlib",
        _starts(b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),
        streams.opener(streams.zlib_engine),
        replaces=True,
    ),
    Kind("zip", _starts(b"PK\x03\x04", b"PK\x05\x06"), zips.open_zip, is_seeked=True),
    Kind("ar", _starts(b"!<arch>\n"), tapes.open_ar),
    Kind("cpio", _starts(b"070701", b"070702"), tapes.open_cpio),
    Kind("rpm", _starts(b"\xed\xab\xee\xdb"), tapes.open_rpm),
    Kind("tar", tapes.is_tar, tapes.open_tar),
)


def kind_of(head: bytes) -> Kind | None:
    """The kind of container that begins with `head`, if it is one."""
    for kind in KINDS:
        if kind.begins(head):
            return kind
    return None
