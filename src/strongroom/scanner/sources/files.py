"""Reads one file of a disk, whatever it is: only regular files are opened, nothing waits, nothing is followed out of the root."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from strongroom.scanner.containers import Limits, expand_file
from strongroom.scanner.containers.limits import TOO_LARGE
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem, Report

_WHOLE_BYTES = 16 << 20
"""Files up to this size are one fragment; longer ones are read in pieces, and opened as they stand if they are containers."""
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""How a file of somebody else's is opened: without waiting, and not through a link."""
_WHAT = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
)


class FileReader:
    """Reads files below `root`, a real path, one after the other.

    Each is opened without waiting and without following a link, from its folder, which must be within the root once it is open: what stands there may
    have been exchanged since it was listed. Files of one folder share that look. A file that grows is read to where it ended.
    """

    def __init__(self, root: bytes, limits: Limits, report: Report) -> None:
        self._root = root
        self._limits = limits
        self._report = report
        self._folder = b""
        self._descriptor: int | None = None
        """Of the folder in which the last file was, if it is within the root."""

    def __del__(self) -> None:
        self._leave()

    def read(self, name: bytes, shown: str) -> Iterator[Fragment]:
        """The fragments of the file `name`, relative to the root, which is `shown` in reports; of the root itself, if that is a file and `name` empty."""
        try:
            descriptor = self._opened(name)
        except OSError as error:
            self._report(Problem(shown, reason(error)))
            return
        if descriptor is None:
            self._report(Problem(shown, "not read: it stands outside of what was to be scanned"))
            return
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                self._report(Problem(shown, f"not read: it is {describe(state.st_mode)}"))
                return
            if self._limits.leaves_out(state.st_size):
                self._report(Problem(shown, TOO_LARGE, is_note=True))
                return
            if state.st_size > _WHOLE_BYTES:
                with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
                    yield from expand_file(shown, file, state.st_size, self._limits, self._report)
                return
            data = _read(descriptor, state.st_size)
        except OSError as error:
            self._report(Problem(shown, reason(error)))
            return
        finally:
            os.close(descriptor)
        yield Fragment(shown, data)

    def _opened(self, name: bytes) -> int | None:
        """The file's descriptor; None where it is outside. Raises OSError."""
        if not name:
            descriptor = os.open(self._root, FLAGS)
            if _is_within(descriptor, self._root):
                return descriptor
            os.close(descriptor)
            return None
        folder, _, last = name.rpartition(b"/")
        if self._descriptor is None or folder != self._folder:
            self._leave()
            descriptor = os.open(os.path.join(self._root, folder), FLAGS | os.O_DIRECTORY)
            if not _is_within(descriptor, self._root):
                os.close(descriptor)
                return None
            self._folder, self._descriptor = folder, descriptor
        return os.open(last, FLAGS, dir_fd=self._descriptor)

    def _leave(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _read(descriptor: int, size: int) -> bytes:
    """What the file holds, up to the size it had, or 1 MiB where the system gives no size, as below /proc."""
    data = os.read(descriptor, size or 1 << 20)
    if len(data) >= size:
        return data
    parts = [data]
    left = size - len(data)
    while left and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _is_within(descriptor: int, root: bytes) -> bool:
    try:
        place = os.readlink(b"/proc/self/fd/%d" % descriptor)
    except OSError:
        return True  # no /proc: then a directory that is exchanged during the scan is not noticed
    return place == root or place.startswith(root.rstrip(b"/") + b"/")


def describe(mode: int) -> str:
    """What a file is that is no regular one."""
    return next((what for test, what in _WHAT if test(mode)), "no regular file")


def reason(error: OSError) -> str:
    """Why a file cannot be read, in words of ours: an error's own text holds paths."""
    return {
        "PermissionError": "not read: permission denied",
        "FileNotFoundError": "not read: there is no such file, or not any more",
        "NotADirectoryError": "not read: there is no such file, or not any more",
        "IsADirectoryError": "not read: it became a directory during the scan",
    }.get(
        type(error).__name__,
        "not read: the system could not open or read it" if error.errno != 40 else "not read: a symbolic link",
    )


def shown_path(name: bytes) -> str:
    """A file's name as reports show it: bytes that are no UTF-8 as escapes."""
    return name.decode("utf-8", "backslashreplace")
