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
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_WHAT = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a symbolic link"),
)


def read_file(root: bytes, name: bytes, shown: str, limits: Limits, report: Report) -> Iterator[Fragment]:
    """The fragments of the file `name` under `root`, a real path; `shown` is its name in reports.

    The file is opened without waiting and without following a link, and must be a regular file within `root` once it is
    open: what stands there may have been exchanged since it was listed. A file that grows is read to where it ended.
    """
    try:
        descriptor = os.open(os.path.join(root, name) if name else root, _FLAGS)
    except OSError as error:
        report(Problem(shown, reason(error)))
        return
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                report(Problem(shown, f"not read: it is {describe(state.st_mode)}"))
                return
            if _is_elsewhere(descriptor, root):
                report(Problem(shown, "not read: it stands outside of what was to be scanned"))
                return
            if limits.leaves_out(state.st_size):
                report(Problem(shown, TOO_LARGE, is_note=True))
                return
            if state.st_size > _WHOLE_BYTES:
                yield from expand_file(shown, file, state.st_size, limits, report)
                return
            data = _read(descriptor, state.st_size)
        except OSError as error:
            report(Problem(shown, reason(error)))
            return
    yield Fragment(shown, data)


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


def _is_elsewhere(descriptor: int, root: bytes) -> bool:
    try:
        place = os.readlink(b"/proc/self/fd/%d" % descriptor)
    except OSError:
        return False  # no /proc: then a directory that is exchanged during the scan is not noticed
    return place != root and not place.startswith(root.rstrip(b"/") + b"/")


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
