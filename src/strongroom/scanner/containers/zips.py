"""Zip, and whatever is a zip by another name: jar, wheel, nupkg, office documents, apk."""

from __future__ import annotations

import bz2
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO, cast

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Member, Opening, Seekable, Stream, label
from strongroom.scanner.containers.streams import Engine, Unpacked, deflate_engine
from strongroom.scanner.containers.tapes import Bounded
from strongroom.scanner.names import may_hold_secret

_LOCAL = b"PK\x03\x04"
_ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_LEAST_ENTRY = 64
_LAST_RECORD = 66_000
_LEAST_EXTRA = 24
_PRINTABLE = re.compile(rb"[!-~]{20}")


def open_zip(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The entries that the directory at the end lists; where there is none that can be read, those that have a header of their own."""
    file = cast("Seekable", stream)
    try:
        archive = zipfile.ZipFile(cast("IO[bytes]", file))
    except (zipfile.BadZipFile, ValueError, OverflowError, OSError, NotImplementedError, EOFError):
        opening.complain("its directory is damaged: entries are read without it")
        yield from _without_directory(file, opening)
        return
    with archive:
        if archive.comment:
            yield Member("<comment>", BytesIO(archive.comment))
        yield from _entries(archive, opening)
        yield from _unlisted(archive, file, opening)


def _entries(archive: zipfile.ZipFile, opening: Opening) -> Iterator[Member]:
    encrypted = 0
    for entry in archive.infolist():
        if entry.comment:
            yield Member(f"{label(entry.filename)}!/<comment>", BytesIO(entry.comment))
        if told := _told_by_extra(entry.extra):
            yield Member(f"{label(entry.filename)}!/<extra field>", BytesIO(told), is_text=True)
        if entry.is_dir():
            if may_hold_secret(entry.filename):
                yield Member(label(entry.filename), BytesIO())
            continue
        if entry.flag_bits & _ENCRYPTED:
            encrypted += 1
            continue
        try:
            with archive.open(entry) as content:
                yield Member(label(entry.filename), _Checked(content))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError, RuntimeError, EOFError):
            opening.complain("an entry is damaged or packed in an unknown way")
    if encrypted:
        opening.complain(f"{encrypted} of its entries are encrypted")


class _Checked:
    """An entry whose faults are DamagedContainer. Read in small steps: a step with a fault gives nothing."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._is_broken = False

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes."""
        parts: list[bytes] = []
        wanted = size if size >= 0 else 1 << 20
        while wanted > 0 and not self._is_broken:
            try:
                part = self._content.read(min(wanted, 1 << 14))
            except Exception:  # noqa: BLE001 -- zipfile passes on what each decompressor raises
                self._is_broken = True
                break
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
        if self._is_broken and not parts:
            raise DamagedContainer("an entry is damaged")
        return b"".join(parts)


def _told_by_extra(extra: bytes) -> bytes:
    """The extra field of an entry, if it is long enough to hold a secret beside what tools write."""
    return extra if len(extra) >= _LEAST_EXTRA and _PRINTABLE.search(extra) else b""


def _unlisted(archive: zipfile.ZipFile, file: Seekable, opening: Opening) -> Iterator[Member]:
    """Entries that the directory does not list: they stand between others, and tools that list the archive do not see them."""
    listed = sorted((entry.header_offset, entry.compress_size, len(entry.filename)) for entry in archive.infolist())
    begin = 0
    for offset, size, name_size in [*listed, (archive.start_dir, 0, 0)]:
        if offset - begin >= _LEAST_ENTRY:
            yield from _between(file, begin, offset, opening)
        begin = max(begin, offset + _LOCAL_HEADER + size + name_size)


def _between(file: Seekable, begin: int, end: int, opening: Opening) -> Iterator[Member]:
    """What has a local header of its own from `begin` to `end`."""
    file.seek(begin)
    gap = file.read(min(end - begin, opening.limits.whole_bytes))
    if _LOCAL in gap:
        yield from _by_local_headers(gap)


def is_appended(data: bytes) -> bool:
    """Whether a zip ends where `data` ends: its last record stands within the last 64 KiB."""
    return data.rfind(b"PK\x05\x06", max(0, len(data) - _LAST_RECORD)) >= 0


def _without_directory(file: Seekable, opening: Opening) -> Iterator[Member]:
    """Entries found by their local headers, in a file that fits in memory."""
    file.seek(0)
    yield from _by_local_headers(file.read(opening.limits.whole_bytes))


def _by_local_headers(data: bytes) -> Iterator[Member]:
    """Entries with a local header (APPNOTE 4.3.7) in `data`."""
    engines: dict[int, Callable[[], Engine]] = {8: deflate_engine, 12: bz2.BZ2Decompressor, 14: lzma.LZMADecompressor}
    position = data.find(_LOCAL)
    while 0 <= position <= len(data) - 30:
        method = int.from_bytes(data[position + 8 : position + 10], "little")
        is_encrypted = data[position + 6] & _ENCRYPTED
        size = int.from_bytes(data[position + 18 : position + 22], "little")
        name_size = int.from_bytes(data[position + 26 : position + 28], "little")
        start = position + 30 + name_size + int.from_bytes(data[position + 28 : position + 30], "little")
        following = data.find(_LOCAL, position + 4)
        end = start + size if size and start + size <= len(data) else (following if following >= 0 else len(data))
        content = BytesIO(data[start:end])
        name = label(data[position + 30 : position + 30 + name_size])
        if not is_encrypted and method == 0:
            yield Member(name, Bounded(content, max(0, end - start)))
        elif not is_encrypted and method in engines:
            yield Member(name, Unpacked(content, engines[method]))
        position = following
