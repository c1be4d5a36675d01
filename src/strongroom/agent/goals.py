"""What has to happen once before the agent has done its first work: a token in every sink, every template rendered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable


class Goals:
    """A set of names that are reached one after the other. ``all_reached`` is called once, in the thread of the last one."""

    def __init__(self, names: Iterable[str], all_reached: Callable[[], None]) -> None:
        self._open = set(names)
        self._turn = threading.Lock()
        self._all_reached = all_reached

    def reached(self, name: str) -> None:
        """One is reached; a second time means nothing."""
        with self._turn:
            if name not in self._open:
                return
            self._open.remove(name)
            done = not self._open
        if done:
            self._all_reached()
