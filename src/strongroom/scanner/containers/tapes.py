"""Containers that are read from front to end: tar, ar (packages of Debian), cpio (packages of rpm)."""

from __future__ import annotations

import tarfile
from collections.abc import Generator, Iterator
from io import BytesIO
from typing import IO, cast

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Chained, Member, Opening, Stream, label
from strongroom.scanner.names import may_hold_secret

_BLOCK = 512
_LARGEST_HEADER = 1 << 20
_EMPTY_READS = 4
_MOST_PADDING = 4096
"""Empty blocks behind the end of a tar that are skipped: those of the largest record that tar writes, and more."""


class Bounded:
    """The next `size` bytes of a stream."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream = stream
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes of these; at most 1 MiB where no size is given."""
        wanted = min(self.left, size if size >= 0 else 1 << 20)
        part = self._stream.read(wanted) if wanted else b""
        if wanted and not part:
            raise DamagedContainer("it ends in the middle of an entry")
        self.left -= len(part)
        return part

    def skip(self) -> None:
        """Reads on to the end of these bytes, or of the stream."""
        while self.left:
            if not self._stream.read(min(self.left, 1 << 20)):
                self.left = 0
                return
            self.left -= min(self.left, 1 << 20)


def exactly(stream: Stream, size: int) -> bytes:
    """Just `size` bytes. Raises DamagedContainer if the stream ends before."""
    parts: list[bytes] = []
    while size > 0:
        part = stream.read(size)
        if not part:
            raise DamagedContainer("it ends too early")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _TarInput:
    """A stream as tarfile reads it. A header that wants more than a header can be is no header.

    Behind its end nothing is read more than a few times: tarfile would walk to the end of an entry of any length, block by block.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._empty_reads = 0

    def read(self, size: int) -> bytes:
        if not 0 <= size <= 1 << 26:
            raise tarfile.ReadError
        part = self._stream.read(size)
        self._empty_reads += not part
        if self._empty_reads > _EMPTY_READS:
            raise tarfile.ReadError
        return part


class _TarContent:
    """A file of a tar. Read in small steps: tarfile gives nothing of a step that meets the end."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes."""
        try:
            return self._content.read(min(size, 1 << 14) if size >= 0 else 1 << 14)
        except (tarfile.TarError, OSError, ValueError, EOFError):
            raise DamagedContainer("it ends in the middle of an entry") from None


def is_tar(head: bytes) -> bool:
    """Whether these are the first bytes of a tar: by the magic of POSIX and GNU, or by the checksum alone, as in Unix 7."""
    if head[257:262] == b"ustar":
        return True
    if len(head) < _BLOCK or not head[:1].strip(b"\0") or head[500:512].strip(b"\0"):
        return False
    try:
        return tarfile.nti(head[148:156]) in tarfile.calc_chksums(head[:_BLOCK])  # type: ignore[attr-defined]  # it is there since Python 2.3
    except (tarfile.TarError, ValueError):
        return False


def open_tar(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The regular files of a tar; of links, the text of their target, which is never looked at; and what headers say beside."""
    following: Stream | None = stream
    while following:
        following = yield from _open_one_tar(following, opening)


def _open_one_tar(stream: Stream, opening: Opening) -> Generator[Member, None, Stream | None]:
    """One tar, and then what stands behind its end, if that is another: `cat a.tar b.tar`."""
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", _TarInput(stream)), mode="r|", bufsize=1 << 16, errorlevel=2
        ) as tar:
            for entry in tar:
                tar.members = []  # type: ignore[attr-defined]  # tarfile keeps them all, and there may be millions
                yield from _told_by_header(entry)
                if entry.isreg() and (content := tar.extractfile(entry)):
                    yield Member(label(entry.name), _TarContent(content))
            return _another_tar(cast("Stream", tar.fileobj))
    except DamagedContainer:
        raise
    except (tarfile.TarError, ValueError, OverflowError, EOFError, OSError, RecursionError):
        opening.complain("it is damaged: what follows the damage could not be read")
    return None


def _another_tar(rest: Stream) -> Stream | None:
    """What follows the padding behind the end of a tar, if it begins like one."""
    for _ in range(_MOST_PADDING):
        block = rest.read(_BLOCK)
        if len(block) < _BLOCK:
            return None
        if block.strip(b"\0"):
            return Chained(block, rest) if is_tar(block) else None
    return None


_FIELDS_OF_TAR = frozenset({"path", "size", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname"})


def _told_by_header(entry: tarfile.TarInfo) -> Iterator[Member]:
    """The target of a link, the name of a folder or device that looks like more than a name, and unusual fields of extended headers."""
    if entry.linkname:
        yield Member(label(entry.name), BytesIO(entry.linkname.encode("utf-8", "surrogateescape")), is_text=True)
    elif not entry.isreg() and may_hold_secret(entry.name):
        yield Member(label(entry.name), BytesIO())
    fields = [f"{name}={value}" for name, value in entry.pax_headers.items() if name not in _FIELDS_OF_TAR]
    if fields:
        told = "\n".join(fields).encode("utf-8", "surrogateescape")
        yield Member(f"{label(entry.name)}!/<header>", BytesIO(told), is_text=True)


def open_ar(stream: Stream, _: Opening) -> Iterator[Member]:
    """The members of an ar archive (Debian's packages, static libraries). GNU's table of long names is not looked up."""
    exactly(stream, 8)
    while header := stream.read(60):
        header += exactly(stream, 60 - len(header))
        size = header[48:58].strip()
        if header[58:] != b"`\n" or not size.isdigit():
            raise DamagedContainer("a member has no valid header")
        content = Bounded(stream, int(size))
        yield Member(label(header[:16].rstrip().rstrip(b"/")), content)
        content.skip()
        if int(size) % 2:
            stream.read(1)


def open_cpio(stream: Stream, _: Opening) -> Iterator[Member]:
    """The files of a cpio archive in the "new ASCII" format, which rpm uses."""
    while True:
        header = exactly(stream, 110)
        if header[:6] not in {b"070701", b"070702"}:
            raise DamagedContainer("an entry has no valid header")
        try:
            mode, size, name_size = (int(header[start : start + 8], 16) for start in (14, 54, 94))
        except ValueError:
            raise DamagedContainer("an entry has no valid header") from None
        if name_size > _LARGEST_HEADER:
            raise DamagedContainer("an entry has no valid header")
        name = exactly(stream, name_size + -(110 + name_size) % 4)[:name_size].rstrip(b"\0")
        if name == b"TRAILER!!!":
            return
        content = Bounded(stream, size)
        if mode & 0o170000 == 0o100000:
            yield Member(label(name.removeprefix(b".")), content)
        content.skip()
        exactly(stream, -size % 4)


def open_rpm(stream: Stream, _: Opening) -> Iterator[Member]:
    """The payload of an rpm package, version 3: a lead, two headers of which the first is padded, a compressed cpio."""
    exactly(stream, 96)
    for is_padded in (True, False):
        header = exactly(stream, 16)
        if header[:4] != b"\x8e\xad\xe8\x01":
            raise DamagedContainer("it has no valid header")
        count, size = int.from_bytes(header[8:12], "big"), int.from_bytes(header[12:16], "big")
        if count > 1 << 16 or size > 1 << 28:
            raise DamagedContainer("it has no valid header")
        content = Bounded(stream, count * 16 + size + (-size % 8 if is_padded else 0))
        yield Member("<signature>" if is_padded else "<header>", content)
        content.skip()
    yield Member("<payload>", stream)
