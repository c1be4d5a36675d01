"""Tests that part into several processes: each runs in an interpreter of its own, in which no other thread is left behind by a fork."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def alone(test: Callable[[], None]) -> Callable[[], None]:
    """``test``, which takes nothing, in a process of one thread. Warnings are errors there, too."""

    @functools.wraps(test)
    def run() -> None:
        code = f"from {test.__module__} import {test.__name__}; {test.__name__}.__wrapped__()"
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr

    return run
