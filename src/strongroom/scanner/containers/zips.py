"""Zip, and whatever is a zip by another name: jar, wheel, nupkg, office documents, apk."""

from __future__ import annotations

import bz2
import lzma
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import IO, cast

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Member, Opening, Seekable, Stream, label
from strongroom.scanner.containers.streams import Engine, Unpacked, deflate_engine
from strongroom.scanner.containers.tapes import Bounded

_LOCAL = b"PK\x03\x04"
_ENCRYPTED = 0x1


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


def _entries(archive: zipfile.ZipFile, opening: Opening) -> Iterator[Member]:
    encrypted = 0
    for entry in archive.infolist():
        if entry.comment:
            yield Member(f"{label(entry.filename)}!/<comment>", BytesIO(entry.comment))
        if entry.is_dir():
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


def _without_directory(file: Seekable, opening: Opening) -> Iterator[Member]:
    """Entries found by their local headers (APPNOTE 4.3.7), in a file that fits in memory."""
    file.seek(0)
    data = file.read(opening.limits.whole_bytes)
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
