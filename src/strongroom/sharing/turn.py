"""Whose turn it is: mutual exclusion between the processes of one server, and between the threads of each."""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from types import TracebackType


class Turn:
    """A lock for a few microseconds of work on shared memory. Made before the processes part; not to be entered twice at once.

    Between processes it is a record lock of the kernel's, which the end of a process gives back, however it ended. Where
    ``processes`` is 1, threads alone are kept apart.
    """

    __slots__ = ("__weakref__", "_file", "_threads")

    def __init__(self, processes: int) -> None:
        self._threads = threading.Lock()
        self._file = -1
        if processes > 1:
            # A record lock belongs to the process and not, like flock's, to the open file, which all of them inherit.
            self._file = os.memfd_create("turn", os.MFD_CLOEXEC)
            weakref.finalize(self, os.close, self._file)

    def __enter__(self) -> None:
        self._threads.acquire()
        if self._file >= 0:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX)
            except BaseException:
                self._threads.release()
                raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file >= 0:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._threads.release()
