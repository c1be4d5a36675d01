"""The space that is kept back on the file system of the data folder, so that access can be taken away on a full disk too.

A file takes the space while there is enough; more of it for a server whose log gets long (``log_length``). It is emptied when something urgent finds the disk full, whoever filled it,
and takes its space again once there is plenty. Owns that file and nothing else; who may use the space is decided by the store.
"""

from __future__ import annotations

import os
from pathlib import Path

NAME = "reserve"
RESERVE_FILE_BYTES = 1024 * 1024
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Reserve:
    """The file in ``folder``, made by ``hold``. Used by one thread at a time, and by one process of several at a time.

    Nothing here raises: without a reserve the store works as well, until the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._taken = 0
        """How many bytes this process took, or found taken."""

    def hold(self, size: int = RESERVE_FILE_BYTES) -> bool:
        """Whether as much as ``size`` is taken, after what was missing was taken, if the file system has it."""
        if self._taken >= size and self._is_as_large_as(size):
            return True
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except OSError:
            return False
        try:
            before = os.fstat(descriptor).st_size
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
            if not _take(descriptor, size):
                _cut(descriptor, before)
                return False
            self._taken = size
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _is_as_large_as(self, size: int) -> bool:
        """A sibling process may have given it up."""
        try:
            return self._path.lstat().st_size >= size
        except OSError:
            return False

    def give_up(self) -> None:
        """Give the space to whoever writes next."""
        self._taken = 0
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except OSError:
            return
        try:
            _cut(descriptor, 0)
        finally:
            os.close(descriptor)


def _take(descriptor: int, size: int) -> bool:
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        return False
    return True


def _cut(descriptor: int, size: int) -> None:
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        # A file system that cannot even do this gives nothing back, which the caller finds out by asking for its free space.
        return
