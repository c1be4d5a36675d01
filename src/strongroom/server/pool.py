"""The few threads that requests run on which would hold up the loop, and the queue before them.

Owns how many may run and wait, and how long a request may wait: whoever could not begin in time is told so, and is never run. What
has begun is not interrupted: it may have changed something, and the client must hear what became of it.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from strongroom.http.errors import encode_error
from strongroom.http.message import HttpResponse
from strongroom.logical.ambient import Clock
from strongroom.logical.errors import InternalFailure, Overdue, RateLimited

THREADS = 4
"""A busy thread halves the loop's throughput, so there are few (DESIGN 8); their work is in C and lets the loop run."""
WAITING_MAX = 64
RETRY_AFTER_SECONDS = 1
MEETING_SECONDS = 0.2

CallLater = Callable[[float, Callable[[], None]], None]
"""Has a call run on the loop's thread after some seconds."""
Respond = Callable[[HttpResponse], None]


class Pool:
    """Runs work in the order in which it comes. ``submit`` belongs to the loop's thread."""

    def __init__(
        self,
        clock: Clock,
        on_failure: Callable[[Exception], None],
        *,
        call_later: CallLater | None = None,
        threads: int = THREADS,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._clock = clock
        self._on_failure = on_failure
        self._call_later = call_later
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="slow")
        self._free = threading.BoundedSemaphore(threads + waiting_max)
        # Whoever takes an entry out answers its client: the thread that begins with it, or the timer. Taking is atomic.
        self._waiting: dict[int, Respond] = {}
        self._running: set[int] = set()
        self._refused = 0
        self._numbers = itertools.count()

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return len(self._waiting)

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return len(self._running)

    @property
    def refused(self) -> int:
        """How many requests found no place."""
        return self._refused

    def submit(self, work: Callable[[], HttpResponse], respond: Respond, *, deadline: float = math.inf) -> None:
        """Have ``respond`` called with what ``work`` gives; or with a refusal, where there is no place or none in time.

        ``deadline`` is in seconds of the monotonic clock.
        """
        if not self._free.acquire(blocking=False):
            self._refused += 1
            busy = RateLimited(
                "too many slow requests at once; try again in a second", retry_after_seconds=RETRY_AFTER_SECONDS
            )
            respond(encode_error(busy))
            return
        number = next(self._numbers)
        self._waiting[number] = respond
        self._executor.submit(self._run, number, work, deadline)
        if self._call_later is not None and deadline != math.inf:
            self._call_later(deadline - self._clock.monotonic(), lambda: self._give_up(number))

    def on_each_thread(self, call: Callable[[], None]) -> None:
        """Have ``call``, which is short, run on every thread that is or becomes free soon, between requests. Returns at once."""
        meeting = threading.Barrier(self._threads)

        def meet() -> None:
            # So that no thread takes the turn of another one.
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(MEETING_SECONDS)
            call()

        with contextlib.suppress(RuntimeError):  # it is closed, and its threads are going
            for _ in range(self._threads):
                self._executor.submit(meet)

    def close(self) -> None:
        """Finish what has begun; what waits is not run any more."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, number: int, work: Callable[[], HttpResponse], deadline: float) -> None:
        respond = self._waiting.pop(number, None)
        self._running.add(number)
        try:
            if respond is not None:
                response = self._respond_to(work, deadline)
        finally:
            self._running.discard(number)
            self._free.release()
        if respond is not None:
            respond(response)

    def _respond_to(self, work: Callable[[], HttpResponse], deadline: float) -> HttpResponse:
        if self._clock.monotonic() >= deadline:
            return encode_error(Overdue())
        try:
            return work()
        except Exception as failure:  # noqa: BLE001 -- the client must get an answer whatever happened
            self._on_failure(failure)
            return encode_error(InternalFailure())

    def _give_up(self, number: int) -> None:
        respond = self._waiting.pop(number, None)
        if respond is not None:
            respond(encode_error(Overdue()))
