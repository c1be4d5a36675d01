"""Servers that are measured in turns: whose turn it is has the machine, the others stand still."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bench.usage import family


@contextmanager
def turn_of(pid: int, pids: Iterable[int]) -> Iterator[None]:
    """Let all servers but one stand still meanwhile, each with its whole family of processes."""
    others = [process for other in pids if other != pid for process in family(other)]
    for process in others:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in others:
            os.kill(process, signal.SIGCONT)
