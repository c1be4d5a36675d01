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

    def report(self, deliver: Callable[[Entry], bool]) -> int:
        """Hand each entry to ``deliver`` and forget it where that says yes; how many were handed over.

        An entry may be handed over twice, if we are killed in between; none is lost.
        """
        with contextlib.suppress(FileNotFoundError), self._locked(os.O_RDWR) as descriptor:
            content = os.read(descriptor, 2 * _BYTES_MAX)
            kept, delivered = [], 0
            try:
                lines = [line for line in content.split(b"\n") if line]
                for position, line in enumerate(lines):
                    try:
                        is_delivered = deliver(json.loads(line))
                    except ValueError:
                        is_delivered = True  # half a line: the entry of a read that was not done
                    except BaseException:
                        kept += lines[position:]
                        raise
                    delivered += is_delivered
                    if not is_delivered:
                        kept.append(line)
            finally:
                rest = b"".join(line + b"\n" for line in kept)
                if rest != content:
                    os.pwrite(descriptor, rest, 0)
                    os.ftruncate(descriptor, len(rest))
                    os.fsync(descriptor)
            return delivered
        return 0

    @contextlib.contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        descriptor = os.open(self._path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)
