"""Files with holes: places where nothing was ever written, which take no room on the disk and read as zeros without end."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from io import UnsupportedOperation

from strongroom.scanner.containers.member import Seekable, Stream

_READ = 1 << 20
_KEPT = 4096
"""Zeros that are read of a hole, so that what stands before and behind it does not join."""
_BLOCK = 512
"""The unit of `st_blocks`."""


def without_holes(file: Seekable) -> Stream:
    """`file` from its beginning, with every hole cut short: a file of a few bytes may be as long as the system has numbers for."""
    descriptor = _descriptor(file)
    if descriptor is None:
        return file
    status = os.fstat(descriptor)
    return _Joined(_parts(file, descriptor)) if status.st_blocks * _BLOCK < status.st_size else file


def _descriptor(file: object) -> int | None:
    try:
        found: int = file.fileno()  # type: ignore[attr-defined]  # what has none says so
    except (AttributeError, UnsupportedOperation):
        return None
    return found


def _parts(file: Seekable, descriptor: int) -> Iterator[bytes]:
    here = 0
    while (extent := _extent(descriptor, here)) is not None:
        start, end = extent
        if start > here:
            yield bytes(min(start - here, _KEPT))
        file.seek(start)
        while start < end and (part := file.read(min(_READ, end - start))):
            yield part
            start += len(part)
        if start < end:
            return  # the file ends here, perhaps since it was cut meanwhile
        here = end


def _extent(descriptor: int, here: int) -> tuple[int, int] | None:
    """Where the next data begins and ends, from `here`; None where there is none."""
    try:
        start = os.lseek(descriptor, here, os.SEEK_DATA)
        return start, os.lseek(descriptor, start, os.SEEK_HOLE)
    except OSError as error:
        return None if error.errno == errno.ENXIO else (here, sys.maxsize)


class _Joined:
    """Parts as a stream."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, or all that are left."""
        wanted = size if size >= 0 else _READ
        taken: list[bytes] = []
        while wanted > 0 and (part := self._rest or next(self._parts, b"")):
            taken.append(part[:wanted])
            self._rest = part[wanted:]
            wanted -= len(taken[-1])
        return b"".join(taken)
