# ruff: noqa: PTH105, PTH108 -- names of files as the system has them
"""Secrets as a file that is none: a named pipe, filled for whoever opens it, a limited number of times.

Nothing is kept on a disk. Each reader gets a pipe of its own under the same name: one that has been filled is replaced, so that
nobody reads twice at once. Readers that come at the same moment may share one, and then one of them gets nothing.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable

from strongroom.delivery.environment import CannotDeliver

_PRIVATE = 0o600


class Fifo:
    """A pipe at ``path`` that gives ``content()`` to each of ``reads_max`` readers (0: any number), from a thread."""

    def __init__(self, path: str, content: Callable[[], bytes], reads_max: int) -> None:
        self._path = path
        self._content = content
        self._left = reads_max
        self._lock = threading.Lock()
        self._is_closed = False
        try:
            _make(path)
            self._made = _identity(path)
        except FileExistsError:
            raise CannotDeliver(f"{path} exists already; name a place where nothing is") from None
        except OSError as error:
            raise CannotDeliver(f"{path}: {(error.strerror or 'cannot be made').lower()}") from None
        # It may wait for a reader for ever, and must not keep anybody from ending.
        threading.Thread(target=self._serve, name="fifo", daemon=True).start()

    def close(self) -> None:
        """Take the pipe away, if it is still ours."""
        with self._lock:
            self._is_closed = True
            if _identity(self._path) == self._made:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)

    def _serve(self) -> None:
        unlimited = self._left == 0
        while unlimited or self._left > 0:
            try:
                # Waits until somebody opens it for reading.
                descriptor = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:
                return
            try:
                if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    return
                self._left -= 1
                if not self._prepare_next(is_last=not unlimited and self._left <= 0):
                    return
                _write_all(descriptor, self._content())
            finally:
                os.close(descriptor)

    def _prepare_next(self, *, is_last: bool) -> bool:
        """Put another pipe in the place of the one that is being read, or nothing; False where it is ours no more."""
        with self._lock:
            if self._is_closed or _identity(self._path) != self._made:
                return False
            if is_last:
                os.unlink(self._path)
                return True
            scratch = f"{self._path}.{os.getpid()}.new"
            _make(scratch)
            self._made = _identity(scratch)
            os.replace(scratch, self._path)
            return True


def _make(path: str) -> None:
    os.mkfifo(path, _PRIVATE)


def _identity(path: str) -> tuple[int, int]:
    try:
        found = os.lstat(path)
    except OSError:
        return -1, -1
    return found.st_dev, found.st_ino


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    # A reader that goes away early has had its read.
    with contextlib.suppress(OSError):
        while rest:
            rest = rest[os.write(descriptor, rest) :]
