"""What the kernel says about the processes of this server. Where there is no ``/proc`` the numbers are left out."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_PAGE_BYTES = resource.getpagesize()


def resident_bytes(pids: Iterable[int]) -> float | None:
    """Memory that these processes use, in bytes; what they share counts once in each."""
    pages = 0
    for pid in pids:
        fields = _fields(_PROC / str(pid) / "statm")
        if len(fields) < 2:
            return None
        pages += int(fields[1])
    return float(pages * _PAGE_BYTES)


def cpu_seconds(pids: Iterable[int]) -> float | None:
    """Processor time of these processes so far, user and system."""
    ticks = 0
    for pid in pids:
        # The name of the program stands in front in parentheses, and may hold anything.
        fields = _fields(_PROC / str(pid) / "stat", after=")")
        if len(fields) < 13:
            return None
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def open_descriptors() -> float | None:
    """How many file descriptors this process has open."""
    try:
        return float(len(os.listdir(_PROC / "self" / "fd")))  # noqa: PTH208 -- only the number of names is wanted
    except OSError:
        return None


def most_descriptors() -> float:
    """How many may be open at once."""
    return float(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def folder_bytes(folder: Path) -> float | None:
    """How many bytes the files directly in ``folder`` take."""
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        return None
    return float(total)


def _fields(file: Path, *, after: str = "") -> list[str]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(after)[2].split() if after else text.split()
