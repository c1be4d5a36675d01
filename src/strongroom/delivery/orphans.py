"""Children that nobody waits for: the first process of a container inherits every orphan, and has to take note of its end.

Which of the children are somebody's has to be known for that. Whoever waits for one says so when it starts it; of a child whose end was
taken note of by somebody else it would not learn how it ended.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


class Started(Protocol):
    """A process that was started, like that of ``subprocess``."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...


_Process = TypeVar("_Process", bound=Started)


class Orphans:
    """Tells the orphans from the children that somebody waits for. Safe between threads."""

    def __init__(self) -> None:
        self._turn = threading.RLock()  # a signal may interrupt whoever holds it
        self._awaited: set[int] = set()

    @staticmethod
    def are_ours() -> bool:
        """Whether this is the first process of a container, or of a machine: orphans are given to it."""
        return os.getpid() == 1

    @contextlib.contextmanager
    def except_for(self, start: Callable[[], _Process]) -> Iterator[_Process]:
        """Start a process that the caller waits for before it leaves."""
        with self._turn:  # or it could be taken for an orphan before it has a number here
            process = start()
            self._awaited.add(process.pid)
        try:
            yield process
        finally:
            with self._turn:
                self._awaited.discard(process.pid)

    def reap(self, beside: int = 0) -> None:
        """Take note of the end of every orphan; of ``beside``, whom the caller waits for, no more than of those that are awaited."""
        if not self.are_ours():
            return
        with self._turn:
            # One that is awaited stands before others until whoever waits has been told; these are left for the next time.
            while (ended := self._ended()) and ended != beside and ended not in self._awaited:
                os.waitpid(ended, 0)

    @staticmethod
    def _ended() -> int:
        """A child that has ended, which stays so; 0 where there is none."""
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0
        return found.si_pid if found is not None else 0
