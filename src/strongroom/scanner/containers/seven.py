"""7-Zip, through py7zr, into memory: it is loaded when the first such archive is met."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, cast

from strongroom.scanner.containers.limits import DamagedContainer, LimitReached
from strongroom.scanner.containers.member import Member, Opening, Stream, label

if TYPE_CHECKING:
    from py7zr.io import Py7zIO


def open_seven(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The files of the archive, up to the limit for what may be in memory. What was unpacked before a fault is scanned."""
    try:
        import py7zr
    except ImportError:
        raise DamagedContainer("7-Zip archives cannot be opened here: install strongroom[scanner]") from None
    data = stream.read(opening.limits.whole_bytes + 1)
    if len(data) > opening.limits.whole_bytes:
        raise DamagedContainer(f"not opened: it is longer than {opening.limits.whole_bytes >> 20} MiB")
    shelf = Shelf(opening.limits.whole_bytes)
    logging.getLogger("py7zr").setLevel(logging.CRITICAL)  # what it warns of, we report
    fault = ""
    try:
        with py7zr.SevenZipFile(BytesIO(data)) as archive:
            archive.extractall(factory=shelf)
    except py7zr.exceptions.PasswordRequired:
        raise DamagedContainer("it is encrypted") from None
    except LimitReached:
        fault = f"it holds more than {opening.limits.whole_bytes >> 20} MiB: the rest was not scanned"
    except Exception:  # noqa: BLE001 -- damage shows itself as anything, down to IndexError
        fault = "it is damaged, or packed in a way that is not known here"
    for name, file in shelf.files.items():
        yield Member(label(name), BytesIO(file.content()))
    if fault:
        opening.complain(fault)


class ShelfFile:
    """What one file of an archive is unpacked to."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._parts: list[bytes] = []

    def write(self, part: bytes | bytearray) -> int:
        """Keeps a part. Raises LimitReached when all files together are too large."""
        self._shelf.spend(len(part))
        self._parts.append(bytes(part))
        return len(part)

    def content(self) -> bytes:
        """All that was written."""
        return b"".join(self._parts)

    def read(self, size: int | None = None) -> bytes:
        """The first `size` bytes, or all."""
        return self.content()[:size]

    def seek(self, offset: int, whence: int = 0) -> int:
        """Needed by py7zr after writing; there is no position."""
        return 0

    def flush(self) -> None:
        """Nothing is buffered."""

    def size(self) -> int:
        """Bytes that were written."""
        return sum(map(len, self._parts))

    def close(self) -> None:
        """Nothing is held open."""


class Shelf:
    """Where py7zr puts what it unpacks."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.files: dict[str, ShelfFile] = {}

    def create(self, filename: str) -> Py7zIO:
        """Room for one file."""
        name = filename if filename not in self.files else f"{filename} ({len(self.files)})"
        file = self.files[name] = ShelfFile(self)
        return cast("Py7zIO", file)

    def spend(self, size: int) -> None:
        """Counts what is kept. Raises LimitReached."""
        self._left -= size
        if self._left < 0:
            raise LimitReached("it unpacks to more than may be in memory")
