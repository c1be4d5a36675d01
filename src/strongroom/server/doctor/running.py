"""The processes of a running server, as the kernel shows them to anybody."""

from __future__ import annotations

import contextlib
import fcntl
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


@dataclass(frozen=True, slots=True)
class Running:
    """The processes of a server; none where it does not run. ``doubt`` says why nobody can tell from here, where that is so."""

    processes: tuple[Process, ...] = ()
    doubt: str = ""


def running_on(data_folder: Path, lock_name: str, pid_file: str, proc: Path = _PROC) -> Running:
    """Who serves what is in ``data_folder``: the process that holds it, and its children."""
    try:
        held = _is_held(data_folder, lock_name)
    except PermissionError as error:
        return Running(doubt=f"whether a server runs cannot be told: {error.filename} is closed to this user")
    except OSError:
        held = None  # there is no such folder, or it cannot be locked
    if held is False:
        return Running()
    leader = _holder(data_folder, lock_name, proc) or _written(pid_file)
    if leader is not None:
        return Running(_family(leader, proc))
    if held:
        return Running(
            doubt="a server runs on this data folder, but its processes cannot be seen from here;"
            " ask beside it, in the same container, or as root"
        )
    return Running()


def _family(leader: int, proc: Path) -> tuple[Process, ...]:
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


def _is_held(folder: Path, lock_name: str) -> bool | None:
    """Whether somebody holds the lock file or the folder itself; None where the file is missing. Raises OSError.

    It is tried, for an instant: the kernel's table does not show who is in another container.
    """
    is_there = (folder / lock_name).exists()
    for path in (folder / lock_name, folder) if is_there else (folder,):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False if is_there else None


def _holder(folder: Path, lock_name: str, proc: Path) -> int | None:
    """Who holds the lock file or the folder: by the kernel's table of locks, or by what is open where that names another device."""
    places = {}
    for path in (folder / lock_name, folder):
        with contextlib.suppress(OSError):
            state = path.stat()
            places[state.st_ino] = (state.st_dev, state.st_ino)
    # Layered file systems (overlay, btrfs) show one device to the table, and another to whoever asks for the file.
    alike = []
    with contextlib.suppress(OSError):
        for line in (proc / "locks").read_text().splitlines():
            words = line.split()
            if "FLOCK" not in words:
                continue
            at = next((number for number, word in enumerate(words) if word.count(":") == 2), 0)
            device, _, inode = words[at].rpartition(":")
            place, pid = places.get(int(inode)), int(words[at - 1])
            if place is None or pid <= 0:
                continue
            if device == f"{os.major(place[0]):02x}:{os.minor(place[0]):02x}":
                return pid
            alike.append((pid, place))
    return next((pid for pid, place in alike if _has_open(pid, place, proc)), None)


def _has_open(pid: int, place: tuple[int, int], proc: Path) -> bool:
    """Whether ``pid`` has this file open, or cannot be asked and is a server by its name."""
    try:
        descriptors = list((proc / str(pid) / "fd").iterdir())
    except OSError:
        with contextlib.suppress(OSError):
            return b"strongroom" in (proc / str(pid) / "cmdline").read_bytes()
        return False
    for one in descriptors:
        with contextlib.suppress(OSError):
            state = one.stat()
            if (state.st_dev, state.st_ino) == place:
                return True
    return False


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
