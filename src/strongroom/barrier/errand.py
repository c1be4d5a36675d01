"""Work with a disk that may not answer, such as one of another machine: on a thread of its own, and not waited for beyond a deadline.

A call to such a disk cannot be broken off. Whoever made it would stand still with every lock that they hold, and so could not seal the vault.
"""

from __future__ import annotations

import errno
import os
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
DEADLINE_SECONDS = 2.0


class Errand:
    """One thing at a time. Raises what the thing raises, and TimeoutError (an OSError) where it takes longer than ``seconds``.

    What took longer goes on by itself; until it is over, everything else is refused in the same way.
    """

    def __init__(self, seconds: float = DEADLINE_SECONDS) -> None:
        self._seconds = seconds
        self._is_free = threading.Lock()

    def run(self, action: Callable[[], T]) -> T:
        """Do ``action`` and answer what it answers."""
        if not self._is_free.acquire(timeout=self._seconds):
            raise _late()
        done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                done.put((action(), None))
            except BaseException as failure:  # noqa: BLE001 -- it is for the caller
                done.put((None, failure))
            finally:
                self._is_free.release()

        threading.Thread(target=work, name="errand", daemon=True).start()
        try:
            answer, failure = done.get(timeout=self._seconds)
        except queue.Empty:
            raise _late() from None
        if failure is not None:
            raise failure
        return answer  # type: ignore[return-value]  # there is one where there is no failure


def _late() -> TimeoutError:
    return TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
