"""The terminal, if there is one: whose keys it listens to, and handing that over, as a shell does for its jobs."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Self


class Terminal:
    """The controlling terminal of this process. Every method does nothing where there is none."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls) -> Self:
        """The terminal that belongs to this session."""
        try:
            return cls(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        except OSError:
            return cls(None)

    def close(self) -> None:
        """Forget it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_ours(self) -> bool:
        """Whether its keys reach our own process group."""
        return self._listens_to() == os.getpgrp()

    def listens_to(self, group: int) -> bool:
        """Whether its keys reach ``group``."""
        return self._listens_to() == group

    def give(self, group: int) -> None:
        """Let its keys reach ``group``."""
        if self._descriptor is None:
            return
        with _not_stopped_by_it(), contextlib.suppress(OSError):
            os.tcsetpgrp(self._descriptor, group)

    def take_back(self) -> None:
        """Let its keys reach us again."""
        self.give(os.getpgrp())

    def _listens_to(self) -> int:
        if self._descriptor is None:
            return -1
        try:
            return os.tcgetpgrp(self._descriptor)
        except OSError:
            return -1


def somebody_would_continue_us() -> bool:
    """Whether a shell watches over our process group. Where none does, a group that stops stays so for ever."""
    try:
        parent = os.getppid()
        return parent > 0 and os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != os.getpgrp()
    except OSError:
        return False


@contextlib.contextmanager
def _not_stopped_by_it() -> Iterator[None]:
    # Whoever is in the background and touches the terminal is stopped, unless it does not listen.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTTOU, before)
