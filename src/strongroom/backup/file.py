"""A new file that is there whole, under its name, or not at all: for its owner alone, and never in the place of another.

While it is written it lies beside its place under a hidden name, locked, so that what a killed process left behind is told from what is
being written now.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_MODE = 0o600
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_WITHOUT_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
PARTIAL = ".partial"


class NewFile:
    """The file at ``path``, whose folder exists. Use as a context manager: without :meth:`keep` nothing stays. Raises OSError.

    ``spare_bytes`` are left free on the file system: a write that would take of them is refused like one on a full disk.
    """

    def __init__(self, path: Path, *, spare_bytes: int = 0) -> None:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self.path = path
        self._spare_bytes = spare_bytes
        self._partial = path.with_name(f".{path.name}{PARTIAL}")
        # What a killed process left behind is nobody's; what another one is writing stays, and we are refused.
        remove_if_abandoned(self._partial)
        self._descriptor = os.open(self._partial, _FLAGS, _MODE)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(self._descriptor, _MODE)

    def write(self, content: bytes) -> None:
        """All of ``content``."""
        if self._spare_bytes:
            state = os.fstatvfs(self._descriptor)
            if state.f_bavail * state.f_frsize < self._spare_bytes + len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        remaining = memoryview(content)
        while remaining:
            remaining = remaining[os.write(self._descriptor, remaining) :]

    def reopened(self) -> BinaryIO:
        """What was written until now, from its beginning, for reading. The caller closes it."""
        os.fsync(self._descriptor)
        return self._partial.open("rb")

    def keep(self) -> None:
        """Give it its name, durably. Raises FileExistsError where somebody else took the name meanwhile."""
        os.fsync(self._descriptor)
        try:
            os.link(self._partial, self.path, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _WITHOUT_LINKS:
                raise
            if os.path.lexists(self.path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.path)) from None
            self._partial.rename(self.path)
        self._partial.unlink(missing_ok=True)
        sync_folder(self.path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)
        os.close(self._descriptor)


def remove_if_abandoned(partial: Path) -> bool:
    """Remove what a killed process left behind, unless a process that lives is writing it. Whether it was removed. Raises OSError."""
    try:
        descriptor = os.open(partial, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        partial.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable. Raises OSError."""
    with folder_descriptor(folder) as descriptor:
        os.fsync(descriptor)


@contextlib.contextmanager
def folder_descriptor(folder: Path) -> Iterator[int]:
    """An open descriptor of ``folder``. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
