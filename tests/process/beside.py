"""Processes without privileges, and what can be seen of a process from beside it."""

from __future__ import annotations

import sys
from io import RawIOBase
from mmap import mmap
from pathlib import Path

_AT_ONCE = 1 << 20

# Takes every capability from itself for good, so that root is a user like others; allows core files; then becomes the program.
_UNPRIVILEGED = """
import ctypes, os, resource, sys
libc = ctypes.CDLL(None)
for capability in range(64):
    libc.prctl(24, capability, 0, 0, 0)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
capset = {"x86_64": 126}.get(os.uname().machine, 91)
assert libc.syscall(capset, header, (ctypes.c_uint32 * 6)()) == 0
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
os.chdir(sys.argv[1])
os.execv(sys.argv[2], sys.argv[2:])
"""


def unprivileged(folder: Path, *words: str) -> tuple[str, ...]:
    """The command line that runs ``words`` in ``folder`` as the same user, without any capability."""
    return (sys.executable, "-c", _UNPRIVILEGED, str(folder), *words)


def server(folder: Path) -> tuple[str, ...]:
    """The command line of an unprivileged server whose configuration is in ``folder``."""
    return unprivileged(folder, sys.executable, "-m", "strongroom", "server", f"-config={folder}/server.hcl")


def all_of(pid: int) -> list[int]:
    """The process and its children: all that serve."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


def copies(pid: int | str, wanted: bytes | bytearray) -> int:
    """How often ``wanted`` is in the memory that ``pid`` can write. Raises PermissionError where it may not be read.

    What is read is wiped before more is read: a process that searches itself must not find what it copied while it searched.
    """
    found = 0
    step = _AT_ONCE - len(wanted) + 1
    proc = Path(f"/proc/{pid}")
    with (proc / "maps").open() as maps, (proc / "mem").open("rb", 0) as memory, mmap(-1, _AT_ONCE) as buffer:
        for line in maps.read().splitlines():
            addresses, modes, *_ = line.split()
            if not modes.startswith("rw") or "[v" in line:
                continue
            start, end = (int(address, 16) for address in addresses.split("-"))
            for at in range(start, end, step):
                found += _found_at(memory, at, min(_AT_ONCE, end - at), buffer, wanted)
    return found


def _found_at(memory: RawIOBase, at: int, size: int, buffer: mmap, wanted: bytes | bytearray) -> int:
    found = 0
    with memoryview(buffer) as view:
        try:
            memory.seek(at)
            size = memory.readinto(view[:size]) or 0
        except OSError:
            return 0
    place = buffer.find(wanted, 0, size)
    while place >= 0:
        found += 1
        place = buffer.find(wanted, place + 1, size)
    buffer[:size] = bytes(size)
    return found
