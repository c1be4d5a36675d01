# ruff: noqa: PTH105, PTH108 -- these functions take names as the system has them
"""Files that hold secrets: mode 0600, complete or not there, and never through somebody's link."""

from __future__ import annotations

import contextlib
import os
import stat

PRIVATE = 0o600


class CannotWrite(Exception):
    """The file was not written; what stood there before still does. The text says why."""


def write_private(path: str, content: bytes, *, mode: int = PRIVATE, replace: bool = True) -> None:
    """Write ``content`` to ``path`` as a whole. A link or anything else that is no file is refused, not followed.

    With ``replace`` False an existing file is refused, too. Raises CannotWrite.
    """
    try:
        _refuse_others(path, replace=replace)
        scratch = f"{path}.{os.getpid()}.new"
        _write_new(scratch, content, mode)
        try:
            if replace:
                os.replace(scratch, path)
            else:
                # Unlike a rename this fails where somebody made the file meanwhile.
                os.link(scratch, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scratch)
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


def _write_new(path: str, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, flags, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Whatever the umask is: exactly this mode.
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
