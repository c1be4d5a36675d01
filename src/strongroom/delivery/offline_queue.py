# ruff: noqa: PTH103, PTH118, PTH123 -- names of files as the system has them
"""What was read without the server, until the server's audit log has it. Names and versions, never values.

The entry is on the disk before the value is given out: where it cannot be written, nothing is read.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from strongroom.delivery.offline_cipher import CannotSeal

_FILE = "unreported-reads"
_BYTES_MAX = 4 << 20
REPORTED_AT_ONCE = 100
"""So many are reported before a program starts; the others wait for the next one."""
_PRIVATE = 0o600

Entry = dict[str, Any]


class OfflineQueue:
    """The queue in ``folder``. Several processes may use it at once."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, _FILE)

    def add(self, entry: Entry) -> None:
        """Write an entry down for good. Raises CannotSeal."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with self._locked(os.O_RDWR | os.O_CREAT) as descriptor:
                if os.fstat(descriptor).st_size > _BYTES_MAX:
                    raise CannotSeal("too many reads without the server wait to be reported; reach the server first")
                line = json.dumps(entry).encode() + b"\n"
                end = os.lseek(descriptor, 0, os.SEEK_END)
                if os.write(descriptor, line) != len(line):
                    os.ftruncate(descriptor, end)
                    raise CannotSeal("the disk is full: a read that cannot be written down is not done")
                os.fsync(descriptor)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise CannotSeal(f"a read that cannot be written down is not done: {reason}") from None

    def count(self) -> int:
        """How many entries wait."""
        try:
            with open(self._path, "rb") as file:
                return file.read(2 * _BYTES_MAX).count(b"\n")
        except OSError:
            return 0

    def report(self, deliver: Callable[[Entry], bool | None], most: int = REPORTED_AT_ONCE) -> int:
        """Hand entries to ``deliver``, ``most`` of them, and forget those where that says yes; how many these were.

        None says that an entry is for somebody else. One that is refused goes behind all others, so that it holds up nobody. An entry may be
        handed over twice, if we are killed in between; none is lost. Where another process reports, that is left to it.
        """
        with (
            contextlib.suppress(FileNotFoundError, BlockingIOError),
            self._locked(os.O_RDWR, fcntl.LOCK_NB) as descriptor,
        ):
            content = os.read(descriptor, 2 * _BYTES_MAX)
            kept: list[bytes] = []
            refused: list[bytes] = []
            delivered = 0
            lines = [line for line in content.split(b"\n") if line]
            try:
                while lines and delivered + len(refused) < most:
                    entry = _entry(lines[0])
                    # None is half a line, of a read that was not done, or was written by somebody else than we.
                    answer = True if entry is None else deliver(entry)
                    delivered += entry is not None and answer is True
                    if not answer:
                        (kept if answer is None else refused).append(lines[0])
                    del lines[0]
            finally:
                rest = b"".join(line + b"\n" for line in (*kept, *lines, *refused))
                if rest != content:
                    os.pwrite(descriptor, rest, 0)
                    os.ftruncate(descriptor, len(rest))
                    os.fsync(descriptor)
            return delivered
        return 0

    @contextlib.contextmanager
    def _locked(self, flags: int, waits: int = 0) -> Iterator[int]:
        descriptor = os.open(self._path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | waits)
            yield descriptor
        finally:
            os.close(descriptor)


def _entry(line: bytes) -> Entry | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
