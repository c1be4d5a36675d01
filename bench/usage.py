"""What the kernel says about a server's processes: processor time, and memory as its proportional share."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

_ENDED = (FileNotFoundError, ProcessLookupError)
"""What reading about a process raises once it has ended."""


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    with contextlib.suppress(*_ENDED):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def _sum_over_family(pid: int, read: Callable[[int], int]) -> int:
    """What ``read`` says of each, summed up. Children may end while they are asked; for ``pid`` itself that is an error."""
    total = read(pid)
    for process in family(pid):
        if process != pid:
            with contextlib.suppress(*_ENDED):
                total += read(process)
    return total


def cpu_seconds(pid: int) -> float:
    """The processor time that a process and its children have used so far, user and system."""
    return _sum_over_family(pid, _cpu_ticks) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> int:
    """The memory of a process and its children, each page shared out among those that have it (PSS).

    A hardened server lets only root read that. Others get the sum of what is resident, which counts shared pages in each and so is more.
    """
    try:
        return _sum_over_family(pid, _pss)
    except PermissionError:
        return _sum_over_family(pid, _resident)


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise PermissionError


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Looks at a server's memory every so many seconds while it is entered; ``most`` is the most that it saw, in bytes."""

    def __init__(self, pid: int, every_seconds: float = 0.25) -> None:
        self._pid = pid
        self._every = every_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = memory_bytes(pid)
        self.most = self.before

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    @property
    def growth(self) -> int:
        """By how many bytes it grew at most."""
        return self.most - self.before

    def _look(self) -> None:
        self.most = max(self.most, memory_bytes(self._pid))

    def _watch(self) -> None:
        while not self._ended.wait(self._every):
            self._look()
