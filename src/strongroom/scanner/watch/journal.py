"""The file that findings are appended to, a JSON object a line: whole lines alone, and what stands in it was told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

_TAIL = 1 << 20
_BEGINNING = b'{"file": '
"""How our own lines begin. A last line without its end that begins so was cut off by a crash, and will be written again."""


class Journal:
    """The file at `path`. It is opened anew for each time, so that it may be rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recover(self) -> Iterator[tuple[str, str]]:
        """Repair the end of the file after a crash, and say what was written last: fingerprints and places. Raises OSError."""
        descriptor = self._open(os.O_RDWR)
        try:
            size = os.fstat(descriptor).st_size
            start = max(0, size - _TAIL)
            lines = os.pread(descriptor, _TAIL, start).split(b"\n")
            torn = lines.pop()
            if torn and torn.startswith(_BEGINNING):
                os.ftruncate(descriptor, size - len(torn))
            elif torn:
                os.write(descriptor, b"\n")
        finally:
            os.close(descriptor)
        for line in lines[1:] if start else lines:
            try:
                row = json.loads(line)
                yield str(row["fingerprint"]), str(row["file"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue

    def append(self, lines: Sequence[str]) -> None:
        """Write `lines`, and wait until they are on the disk. Raises OSError."""
        data = memoryview("".join(lines).encode("utf-8", "backslashreplace"))
        descriptor = self._open(os.O_WRONLY)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _open(self, mode: int) -> int:
        return os.open(self._path, mode | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
