"""The few threads that requests run on which would hold up the loop, and those who wait for them.

Owns how many may run and wait, and how long a request may wait: whoever could not begin in time is told so, and is never run. What
has begun is not interrupted: it may have changed something, and the client must hear what became of it. What must work in any case
(to seal, to revoke) has places of its own, comes before all others, and has a thread that nothing else runs on.
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
from strongroom.server.lane import Lane, Respond, Waiting

THREADS = 4
"""A busy thread halves the loop's throughput, so there are few (DESIGN 8); their work is in C and lets the loop run."""
WAITING_MAX = 64
RETRY_AFTER_SECONDS = 1
MEETING_SECONDS = 0.2

CallLater = Callable[[float, Callable[[], None]], None]
"""Has a call run on the loop's thread after some seconds."""


class Pool:
    """Runs work in the order in which it comes, by turns among clients. ``submit`` belongs to the loop's thread."""

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
        self._vital_executor = ThreadPoolExecutor(1, thread_name_prefix="vital")
        # Whoever takes a request out of its lane answers its client: a thread that begins with it, the timer, or a newcomer.
        self._lock = threading.Lock()
        self._ordinary = Lane(threads + waiting_max)
        self._vital = Lane(threads + waiting_max)
        # A timer knows no more than the number: what is over is not kept until its time would have been.
        self._open: dict[int, tuple[Lane, Waiting]] = {}
        self._numbers = itertools.count()
        self._busy = 0
        self._refused = 0

    @property
    def waiting(self) -> int:
        """How many requests wait for a thread."""
        return len(self._ordinary) + len(self._vital)

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return self._busy

    @property
    def refused(self) -> int:
        """How many requests found no place, or lost it to somebody who asks less."""
        return self._refused

    def submit(
        self,
        work: Callable[[], HttpResponse],
        respond: Respond,
        *,
        deadline: float = math.inf,
        address: str = "",
        is_vital: bool = False,
    ) -> None:
        """Have ``respond`` called with what ``work`` gives; or with a refusal, where there is no place or none in time.

        ``deadline`` is in seconds of the monotonic clock. ``address`` is as whom the client is counted.
        """
        number = next(self._numbers)
        one = Waiting(number, work, respond, address, deadline)
        lane = self._vital if is_vital else self._ordinary
        with self._lock:
            self._open[number] = (lane, one)
            out = lane.enter(one)
            if out is not None:
                del self._open[out.number]
        if out is not None:
            self._refuse(out)
        if out is one:
            return
        # A thread that finds nothing any more goes on to what comes next: there may be more calls than there is to do.
        self._executor.submit(self._run, (self._vital, self._ordinary))
        if is_vital:
            self._vital_executor.submit(self._run, (self._vital,))
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
        self._vital_executor.shutdown(wait=True, cancel_futures=True)

    def _refuse(self, one: Waiting) -> None:
        self._refused += 1
        busy = RateLimited(
            "too many slow requests at once; try again in a second", retry_after_seconds=RETRY_AFTER_SECONDS
        )
        one.respond(encode_error(busy))

    def _run(self, lanes: tuple[Lane, ...]) -> None:
        with self._lock:
            lane, one = next(((lane, one) for lane in lanes if (one := lane.next()) is not None), (None, None))
            if lane is None or one is None:
                return
            del self._open[one.number]
            self._busy += 1
        try:
            response = self._response_to(one)
        finally:
            with self._lock:
                lane.done()
                self._busy -= 1
        one.respond(response)

    def _response_to(self, one: Waiting) -> HttpResponse:
        if self._clock.monotonic() >= one.deadline:
            return encode_error(Overdue())
        try:
            return one.work()
        except Exception as failure:  # noqa: BLE001 -- the client must get an answer whatever happened
            self._on_failure(failure)
            return encode_error(InternalFailure())

    def _give_up(self, number: int) -> None:
        with self._lock:
            lane, one = self._open.pop(number, (None, None))
            if lane is not None and one is not None:
                lane.leave(one)
        if one is not None:
            one.respond(encode_error(Overdue()))
