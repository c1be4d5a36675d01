"""Finds processes of this server that were stopped: by SIGSTOP, or by whoever has their terminal.

One that stands still may hold the turn to write, for which all others wait then, with whatever they should answer meanwhile; and nobody
answers those who are connected to it. It is ended, and the server with it: like a crash, after which everything goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

LOOK_SECONDS = 2.0
LOOKS = 3
"""So often in a row a process must be found standing still: somebody may only want to look at it."""
_STOPPED = "T"


class Standstill:
    """Looks at the processes ``pids`` now and then, from a thread of its own, and calls ``end`` with each that stands still for long."""

    def __init__(self, pids: Sequence[int], end: Callable[[int], None], *, every_seconds: float = LOOK_SECONDS) -> None:
        self._found = dict.fromkeys(pids, 0)
        self._end = end
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="standstill", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more. When this returns, nobody is ended any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Look at each process once."""
        for pid, found in self._found.items():
            self._found[pid] = found + 1 if is_stopped(pid) else 0
            if self._found[pid] == LOOKS:
                self._end(pid)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            self.look()


def is_stopped(pid: int) -> bool:
    """Whether the process stands still; not where there is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # The name before it is in brackets, and may hold brackets itself.
    return state.rpartition(") ")[2].startswith(_STOPPED)
