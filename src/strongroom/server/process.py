"""What the process does for itself before it holds a key: no core dumps, no tracing by others, files closed to others, no swap.

Each process of a server does it for itself: a fork inherits the limits, yet neither the locks of memory nor, across users, the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from strongroom.physical.store import Unavailable

_PR_SET_DUMPABLE = 4
_M_MMAP_THRESHOLD = -3
SWITCH_SECONDS = 0.0005
"""For how long a thread goes on while another one waits to; Python's own is ten times as long."""
KEPT_DESCRIPTORS = 256
"""So many open files are not for connections: the store's, of each thread, audit files, backups, what processes say to each other."""
_LARGE_BYTES = 512 * 1024
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK = 14
_COLLECT_AFTER_OBJECTS = 20_000
_CACHED_SIZES = range(512, 1040, 16)
"""Blocks of glibc that threads keep for themselves. Smaller ones are Python's own."""
_SMALL_SIZES = range(1, 480, 16)
_SMALL_BLOCKS = 2000
_CACHED_BLOCKS = 16
_GAP_SIZES = (65536, 16384, 4096, 2048, 1048, 760, 536)
_GAPS_MAX = 10_000
_M_ARENA_MAX = -8
_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")


def settle() -> None:
    """For when all is loaded: from now on the process answers requests, and what else it does shall not be in their way."""
    _settle_memory()
    # The thread that answers lets go of Python's lock wherever it reads, writes or waits, many times in a request. Where another one
    # works behind the requests it has to wait each time to get it back.
    sys.setswitchinterval(SWITCH_SECONDS)


def _settle_memory() -> None:
    """Leave what was loaded until now out of every later collection, and collect less often: requests make no cycles.

    And have the memory of large requests go back to the system with each of them.
    """
    with contextlib.suppress(OSError, AttributeError):
        # Left to itself the C library learns from every large block to keep the next one.
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_OBJECTS, 20, 50)


def scrub_freed_memory() -> None:
    """Overwrite memory that was freed and not used again, as far as that goes: the texts of requests and answers that came and went.

    The caches of other threads than the calling one are theirs: see ``scrub_cache``. Nothing promises that all is found; what is left is
    measured in tests.
    """
    gc.collect()
    for size in _SMALL_SIZES:
        # Python hands free blocks of a size out again before it takes new ones; these are zeros when they come back.
        del [bytes(size) for _ in range(_SMALL_BLOCKS)][:]
    scrub_cache()
    try:
        libc = _allocator()
        _fill_gaps(libc)
        # What is free beyond the caches goes back to the system.
        libc.malloc_trim(ctypes.c_size_t(0))
    except (OSError, AttributeError):
        return  # another C library: its memory stays as it is


def scrub_cache() -> None:
    """Overwrite the blocks that the C library keeps for the calling thread alone."""
    try:
        libc = _allocator()
        for size in _CACHED_SIZES:
            # As many as the thread's cache holds of a size: they are handed out again, and come back empty.
            _give_back(libc, [libc.malloc(ctypes.c_size_t(size)) for _ in range(_CACHED_BLOCKS)], size)
    except (OSError, AttributeError):
        return


def _fill_gaps(libc: ctypes.CDLL) -> None:
    """Overwrite the gaps between what is in use: take blocks of each size, the largest first, for as long as the heap need not grow."""
    libc.sbrk.restype = ctypes.c_void_p
    taken: list[tuple[int | None, int]] = []
    for size in _GAP_SIZES:
        end = libc.sbrk(0)
        while len(taken) < _GAPS_MAX and libc.sbrk(0) == end:
            taken.append((libc.malloc(ctypes.c_size_t(size)), size))
    for block, size in taken:
        _give_back(libc, [block], size)


def _give_back(libc: ctypes.CDLL, blocks: list[int | None], size: int) -> None:
    for block in filter(None, blocks):
        ctypes.memset(block, 0, size)
        libc.free(block)


def _allocator() -> ctypes.CDLL:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    return libc


def protect(warn: Callable[[str], None], *, locks_memory: bool) -> None:
    """Harden this process, and lock its memory where that is wanted. What could not be done and was not wanted is told to ``warn``.

    Raises Unavailable where the memory was to be locked and cannot be.
    """
    _share_one_heap()
    if not harden():
        warn("tracing of this process by others could not be switched off")
    if locks_memory:
        lock_memory()
    elif can_swap("self"):
        warn("this system has swap, to which keys and values may be written; switch it off, or set lock_memory = true")


def _share_one_heap() -> None:
    """Have all threads to come take memory from one place, where what they leave behind can be found and overwritten."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def harden() -> bool:
    """Switch core dumps and tracing off and close new files to others. Returns whether all of it took."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return int(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
    except (OSError, AttributeError):
        return False


def allow_connections(wanted: int) -> int:
    """Raise this process's limit of open files as far as so many connections need and the system allows. Answers how many there may be.

    Some are kept back: for want of a descriptor the store or an audit file could not be opened, and clients must not bring that about.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + KEPT_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(OSError, ValueError):  # it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    return max(soft - KEPT_DESCRIPTORS, soft // 2, 1)


def lock_memory() -> None:
    """Keep all memory of this process out of the swap, from now on and for memory to come. Raises Unavailable.

    A limit that would hold now and not later is refused too: beyond it the process would fail to get memory at some later moment.
    """
    _, most = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if most != resource.RLIM_INFINITY and not _may_lock_any_amount():
        raise Unavailable(
            "lock_memory is set, but the limit of locked memory is too low; start with LimitMEMLOCK=infinity (ulimit -l unlimited), "
            "or switch swap off and remove lock_memory"
        )
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (most, most))
    try:
        # On fault: what is reserved and never used (stacks of threads) needs no memory.
        failed = int(ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT))
    except (OSError, AttributeError):
        failed = -1
    if failed:
        reason = os.strerror(ctypes.get_errno()).lower()
        raise Unavailable(
            f"lock_memory is set, but the memory could not be locked ({reason}); switch swap off and remove it"
        )


def can_swap(pid: int | str, proc: Path = _PROC, groups: Path = _CGROUPS) -> bool:
    """Whether the system may write the memory of this process to a swap: there is one, and its control group is allowed to use it."""
    try:
        if len((proc / "swaps").read_text().splitlines()) < 2:
            return False
        group = (proc / str(pid) / "cgroup").read_text().rpartition("::")[2].strip()
    except OSError:
        return False
    place = groups / group.lstrip("/")
    while place != groups and groups in place.parents:
        try:
            if (place / "memory.swap.max").read_text().strip() == "0":
                return False
        except OSError:
            pass  # this one sets no limit, or there is no such controller; those above it count as well
        place = place.parent
    return True


def _may_lock_any_amount() -> bool:
    for line in (_PROC / "self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_IPC_LOCK & 1)
    return False
