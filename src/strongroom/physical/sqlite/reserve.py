"""The space that is kept back on the file system of the data folder, so that access can be taken away on a full disk too.

A file of a fixed size takes the space while there is enough. It is emptied when something urgent finds the disk full, whoever filled it,
and takes its space again once there is plenty. Owns that file and nothing else; who may use the space is decided by the store.
"""

from __future__ import annotations

import os
from pathlib import Path

NAME = "reserve"
RESERVE_FILE_BYTES = 1024 * 1024
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Reserve:
    """The file in ``folder``, made by ``take``. Used by one thread at a time, and by one process of several at a time.

    Nothing here raises: without a reserve the store works as well, until the disk is full.
    """

    def __init__(self, folder: Path, size: int = RESERVE_FILE_BYTES) -> None:
        self._path = folder / NAME
        self.size = size
        self.is_held = False
        """Whether this process knows the space to be taken."""

    def take(self) -> None:
        """Take the space, if the file system has it."""
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except OSError:
            return
        try:
            os.fchmod(descriptor, 0o600)  # whatever the umask took away
            os.posix_fallocate(descriptor, 0, self.size)
            self.is_held = True
        except OSError:
            _empty(descriptor)
        finally:
            os.close(descriptor)

    def give_up(self) -> None:
        """Give the space to whoever writes next."""
        self.is_held = False
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except OSError:
            return
        try:
            _empty(descriptor)
        finally:
            os.close(descriptor)


def _empty(descriptor: int) -> None:
    try:
        os.ftruncate(descriptor, 0)
    except OSError:
        # A file system that cannot even do this gives nothing back, which the caller finds out by asking for its free space.
        return
