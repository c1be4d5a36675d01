# ruff: noqa: PTH105, PTH108 -- names of files as the system has them
"""Secrets as a file that is none: a named pipe, filled for whoever opens it, a limited number of times.

Nothing is kept on a disk. Each reader gets a pipe of its own under the same name: one that has been filled is replaced, so that
nobody reads twice at once. Readers that come at the same moment may share one, and then one of them gets nothing.

As long as somebody serves a pipe there is a socket with its number in the kernel's table. So a pipe that somebody who was killed has left can
be told from one that is in use, and the next one takes its place.
"""

from __future__ import annotations

import contextlib
import os
import socket
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
            _remove_left(path)
            self._made, self._sign = _make(path)
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
            if self._is_ours():
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
            _put_down(self._sign)

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
            if self._is_closed or not self._is_ours():
                return False
            if is_last:
                os.unlink(self._path)
                return True
            scratch = f"{self._path}.{os.getpid()}.new"
            (made, sign), before = _make(scratch), (self._made, self._sign)
            os.replace(scratch, self._path)
            self._made, self._sign = made, sign
            os.close(before[0])
            _put_down(before[1])
            return True

    def _is_ours(self) -> bool:
        """Whether the pipe that we made last is what stands there."""
        return _identity(os.fstat(self._made)) == _identity(_found(self._path))


def _make(path: str) -> tuple[int, socket.socket | None]:
    """A new pipe: a descriptor of it that only holds its number, which nobody else can get as long as it is open, and what tells that it is served."""
    os.mkfifo(path, _PRIVATE)
    made = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    return made, _sign_of(os.fstat(made))


def _sign_of(pipe: os.stat_result) -> socket.socket | None:
    """The socket that tells that ``pipe`` is served; None where somebody else has it, or the system lets us have none."""
    with contextlib.suppress(OSError):
        sign = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sign.bind(f"\0strongroom-pipe-{pipe.st_dev}-{pipe.st_ino}")
        except OSError:
            sign.close()
            raise
        return sign
    return None


def _put_down(sign: socket.socket | None) -> None:
    if sign is not None:
        sign.close()


def _remove_left(path: str) -> None:
    """Take away a pipe of ours that nobody serves any more. Anything else stays."""
    left = _found(path)
    if left is None or not stat.S_ISFIFO(left.st_mode):
        return
    if left.st_uid == os.geteuid() and stat.S_IMODE(left.st_mode) == _PRIVATE and (sign := _sign_of(left)) is not None:
        with sign:
            os.unlink(path)


def _found(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _identity(found: os.stat_result | None) -> tuple[int, int]:
    return (found.st_dev, found.st_ino) if found is not None else (-1, -1)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    # A reader that goes away early has had its read.
    with contextlib.suppress(OSError):
        while rest:
            rest = rest[os.write(descriptor, rest) :]
