"""What the process does for itself before it holds a key: no core dumps, no tracing by others, files closed to others."""

from __future__ import annotations

import ctypes
import gc
import os
import resource

_PR_SET_DUMPABLE = 4
_COLLECT_AFTER_OBJECTS = 20_000


def settle_memory() -> None:
    """Leave what was loaded until now out of every later collection, and collect less often: requests make no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_OBJECTS, 20, 50)


def harden() -> bool:
    """Switch core dumps and tracing off and close new files to others. Returns whether all of it took."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return int(libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
    except (OSError, AttributeError):
        return False
