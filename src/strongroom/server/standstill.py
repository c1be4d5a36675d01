"""Finds processes of this server that were stopped: by SIGSTOP, or by whoever has their terminal.

One that stands still may hold the turn to write, for which all others wait then, with whatever they should answer meanwhile; and nobody
answers those who are connected to it. It is ended, and the server with it: like a crash, after which everything goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from strongroom.core.background import Background
from strongroom.logical.ambient import Clock, SystemClock

LOOK_SECONDS = 2.0
LOOKS = 3
"""So often in a row a process must be found standing still: somebody may only want to look at it."""
LATE_SECONDS = 0.5
"""Who comes so much later than it wanted to look was itself stopped, perhaps with all the others, which will go on in a moment."""
_STOPPED = "T"


class Standstill(Background):
    """Looks at the processes ``pids`` now and then, from a thread of its own, and calls ``end`` with each that stands still for long."""

    def __init__(
        self,
        pids: Sequence[int],
        end: Callable[[int], None],
        *,
        clock: Clock | None = None,
        every_seconds: float = LOOK_SECONDS,
    ) -> None:
        super().__init__("standstill")
        self._found = dict.fromkeys(pids, 0)
        self._end = end
        self._clock = clock or SystemClock()
        self._every_seconds = every_seconds

    def look(self) -> None:
        """Look at each process once."""
        for pid, found in self._found.items():
            self._found[pid] = found + 1 if is_stopped(pid) else 0
            if self._found[pid] == LOOKS:
                self._end(pid)

    def look_after(self, since: float) -> None:
        """Look, where now is about the time that was meant when the wait began ``since`` (of the monotonic clock)."""
        if self._clock.monotonic() - since <= self._every_seconds + LATE_SECONDS:
            self.look()

    def _run(self) -> None:
        since = self._clock.monotonic()
        while not self._stopping.wait(self._every_seconds):
            self.look_after(since)
            since = self._clock.monotonic()


def is_stopped(pid: int) -> bool:
    """Whether the process stands still; not where there is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # The name before it is in brackets, and may hold brackets itself.
    return state.rpartition(") ")[2].startswith(_STOPPED)
