"""The processes of a running server, as the kernel shows them to anybody."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strongroom.server.process import can_swap

_PROC = Path("/proc")
_CORE_LIMIT = "Max core file size"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process. Sizes are bytes; ``core_bytes`` is None for no limit.

    ``is_traceable`` is None where it cannot be told: for a process of root the kernel shows the same either way.
    """

    pid: int
    uid: int
    is_traceable: bool | None
    core_bytes: int | None
    resident_bytes: int
    locked_bytes: int
    swapped_bytes: int
    can_swap: bool
    is_isolated: bool


def processes_of(data_folder: Path, lock_name: str, pid_file: str, proc: Path = _PROC) -> tuple[Process, ...]:
    """The processes of the server that holds ``data_folder``; none where it does not run, or runs where it cannot be seen."""
    leader = _holder(data_folder / lock_name, proc) or _written(pid_file)
    if leader is None:
        return ()
    found = []
    for pid in (leader, *_children(leader, proc)):
        # One that ends meanwhile is not running.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.append(read_process(pid, proc))
    return tuple(found)


def read_process(pid: int, proc: Path = _PROC) -> Process:
    """What the kernel shows of ``pid``. Raises OSError."""
    folder = proc / str(pid)
    status = dict(line.partition(":")[::2] for line in (folder / "status").read_text().splitlines())
    uid = int(status["Uid"].split()[1])
    owner = (folder / "environ").stat().st_uid
    arguments = (folder / "cmdline").read_bytes().split(b"\0")
    return Process(
        pid=pid,
        uid=uid,
        is_traceable=None if uid == 0 else owner == uid,
        core_bytes=_core_limit((folder / "limits").read_text()),
        resident_bytes=_kilobytes(status.get("VmRSS", "")),
        locked_bytes=_kilobytes(status.get("VmLck", "")),
        swapped_bytes=_kilobytes(status.get("VmSwap", "")),
        can_swap=can_swap(pid, proc),
        is_isolated=b"-I" in arguments[1:4],
    )


def _holder(lock: Path, proc: Path) -> int | None:
    """Who holds the lock file, by the kernel's table of locks."""
    try:
        state = lock.stat()
        lines = (proc / "locks").read_text().splitlines()
    except OSError:
        return None
    wanted = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    for line in lines:
        words = line.split()
        if wanted in words and "FLOCK" in words:
            pid = int(words[words.index(wanted) - 1])
            return pid if pid > 0 else None
    return None


def _written(pid_file: str) -> int | None:
    if not pid_file:
        return None
    try:
        text = Path(pid_file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdecimal() else None


def _children(pid: int, proc: Path) -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from (int(word) for word in (proc / str(pid) / "task" / str(pid) / "children").read_text().split())


def _kilobytes(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) * 1024 if text else 0


def _core_limit(limits: str) -> int | None:
    for line in limits.splitlines():
        if line.startswith(_CORE_LIMIT):
            hard = line[len(_CORE_LIMIT) :].split()[1]
            return None if hard == "unlimited" else int(hard)
    return None
