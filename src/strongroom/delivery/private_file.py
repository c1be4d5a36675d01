# ruff: noqa: PTH105, PTH108, PTH120 -- these functions take names as the system has them
"""Files that hold secrets: mode 0600, complete or not there, and never through somebody's link.

A file is written without a name, where the file system can do that, and gets one when it is complete: whoever is killed on the way
leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

PRIVATE = 0o600


class CannotWrite(Exception):
    """The file was not written; what stood there before still does. The text says why."""


def write_private(path: str, content: bytes, *, mode: int = PRIVATE, replace: bool = True) -> None:
    """Write ``content`` to ``path`` as a whole. A link or anything else that is no file is refused, not followed.

    With ``replace`` False an existing file is refused, too. Raises CannotWrite.
    """
    try:
        _refuse_others(path, replace=replace)
        scratch = f"{path}.{os.getpid()}.new" if replace else path
        try:
            if replace:
                _remove(scratch)  # of somebody who had our number and was killed
            _make(path, scratch, content, mode)
            if replace:
                os.replace(scratch, path)
        except OSError:
            if replace:
                _remove(scratch)
            raise
    except OSError as error:
        raise CannotWrite(f"{path}: {(error.strerror or 'cannot be written').lower()}") from None


def _refuse_others(path: str, *, replace: bool) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not replace:
        raise CannotWrite(f"{path} exists already")
    if not stat.S_ISREG(found.st_mode):
        raise CannotWrite(f"{path} is a link, a folder or a device, and no file; remove it or choose another name")


def _make(path: str, name: str, content: bytes, mode: int) -> None:
    """Make the file ``name`` beside ``path``. Unlike a rename this fails where somebody has made a file of that name meanwhile."""
    if not _make_nameless(os.path.dirname(path) or ".", name, content, mode):
        _make_by_link(f"{path}.{os.getpid()}.part", name, content, mode)


def _make_nameless(folder: str, name: str, content: bytes, mode: int) -> bool:
    """The same by a file that has no name until it is complete; False where the system, or this file system, has no such thing."""
    try:
        descriptor = os.open(folder, os.O_WRONLY | getattr(os, "O_TMPFILE", 0) | os.O_CLOEXEC, PRIVATE)
    except OSError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        _fill(file, content, mode)
        try:
            # A folder has to be given, or it would be the link in /proc that is linked.
            os.link(f"/proc/self/fd/{descriptor}", name, src_dir_fd=descriptor, follow_symlinks=True)
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise
            return False
    return True


def _make_by_link(scratch: str, name: str, content: bytes, mode: int) -> None:
    _remove(scratch)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _fill(file, content, mode)
        os.link(scratch, name)
    finally:
        _remove(scratch)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _fill(file: BinaryIO, content: bytes, mode: int) -> None:
    # Whatever the umask is: exactly this mode.
    os.fchmod(file.fileno(), mode)
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
