"""The event loop: one thread, one epoll, timers, and a door through which other threads hand in work.

Targets are found by descriptor but compared as objects, and a descriptor is closed only between rounds: the kernel gives a
closed number to the next connection at once, and an event for the old one must not reach the new one.
"""

from __future__ import annotations

import heapq
import math
import os
import select
import socket
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Protocol

from strongroom.logical.ambient import Clock

READABLE = select.EPOLLIN
WRITABLE = select.EPOLLOUT
NOTHING = 0
NEVER = math.inf

# One round takes this many events at most, so that a round stays short and timers are looked at.
_EVENTS_MAX = 512
# So often is looked for what came while the last was read.
_LOOKS = 3
# A poll that takes less has not waited.
_INSTANT_SECONDS = 0.0002


class Target(Protocol):
    """What hears about a descriptor."""

    def on_event(self, mask: int) -> None:
        """The descriptor is ready, or broken."""
        ...


class Timed(Protocol):
    """What has a deadline, in seconds of the loop's clock; NEVER means none."""

    deadline: float
    scheduled: float

    def on_deadline(self) -> None:
        """The deadline passed."""
        ...


class Loop:
    """Watches descriptors and deadlines. Everything but ``call_soon`` and ``on_this_thread`` belongs to the loop's thread.

    ``on_failure`` hears of exceptions that escape what was given to ``call_soon`` or has a deadline; the loop goes on.
    """

    __slots__ = (
        "__weakref__",
        "_calls",
        "_clock",
        "_closing",
        "_deadlines",
        "_epoll",
        "_on_failure",
        "_pushed",
        "_targets",
        "_thread",
        "_wake",
        "_woken",
        "now",
        "since",
    )

    def __init__(self, clock: Clock, on_failure: Callable[[Exception], None]) -> None:
        self._clock = clock
        self._on_failure = on_failure
        self._epoll = select.epoll()
        self._targets: dict[int, Target] = {}
        self._closing: list[socket.socket] = []
        self._deadlines: list[tuple[float, int, Timed]] = []
        self._pushed = 0
        self._calls: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # Closed with the last reference and not before: a late answer from another thread must never write to a descriptor
        # that by then is somebody else's.
        weakref.finalize(self, os.close, self._wake)
        self._woken = False
        self._thread = 0
        self.now = clock.monotonic()
        self.since = self.now
        """Since when, at the earliest, what was ready in this round may have been waiting for us."""
        self._epoll.register(self._wake, READABLE)

    def adopt_thread(self) -> None:
        """From now on the calling thread is the loop's."""
        self._thread = threading.get_ident()

    def on_this_thread(self) -> bool:
        """Whether the caller runs on the loop's thread."""
        return threading.get_ident() == self._thread

    def call_soon(self, call: Callable[[], None]) -> None:
        """Have ``call`` run on the loop's thread in its next round. Any thread or signal handler may ask."""
        self._calls.append(call)
        if not self._woken:
            self._woken = True
            os.eventfd_write(self._wake, 1)

    def watch(self, descriptor: int, target: Target, before: int, after: int) -> None:
        """Change what is watched of ``descriptor`` from the mask ``before`` to ``after``; NOTHING takes it out."""
        if after == NOTHING:
            self._epoll.unregister(descriptor)
            del self._targets[descriptor]
        elif before == NOTHING:
            self._targets[descriptor] = target
            self._epoll.register(descriptor, after)
        else:
            self._epoll.modify(descriptor, after)

    def close_later(self, closing: socket.socket) -> None:
        """Close an unwatched socket when this round is over."""
        self._closing.append(closing)

    def set_deadline(self, timed: Timed, deadline: float) -> None:
        """Give ``timed`` a new deadline. Putting one off is an assignment; only bringing one forward costs more."""
        timed.deadline = deadline
        if deadline < timed.scheduled:
            self._push(timed, deadline)

    def _push(self, timed: Timed, deadline: float) -> None:
        timed.scheduled = deadline
        self._pushed += 1
        heapq.heappush(self._deadlines, (deadline, self._pushed, timed))

    def wait(self, *, at_once: bool) -> None:
        """One round of waiting: hand events to their targets, run what other threads asked for, and pass deadlines."""
        before, asked = self.now, self._clock.monotonic()
        events = self._epoll.poll(0 if at_once else self._patience(), _EVENTS_MAX)
        self.now = self._clock.monotonic()
        # Where we had to wait for it nothing was ready before; else it may have come right after we looked the last time.
        self.since = self.now if self.now - asked > _INSTANT_SECONDS else before
        targets = self._targets
        woken = False
        looks = _LOOKS
        while events:
            for descriptor, mask in events:
                target = targets.get(descriptor)
                if target is not None:
                    target.on_event(mask)
                elif descriptor == self._wake:
                    woken = True
            # Reading takes a while, in which more may have come: it goes into the same batch.
            looks -= 1
            events = self._epoll.poll(0, _EVENTS_MAX) if looks and not woken else []
        if woken:
            self._run_calls()
        if self._deadlines and self._deadlines[0][0] <= self.now:
            self._pass_deadlines()

    def finish_round(self) -> None:
        """Close what was given to ``close_later``."""
        if self._closing:
            for closing in self._closing:
                closing.close()
            self._closing.clear()

    def close(self) -> None:
        """End the loop. ``call_soon`` may still be called and then has no effect."""
        self.finish_round()
        self._epoll.close()

    def _patience(self) -> float | None:
        if not self._deadlines:
            return None
        return max(0.0, self._deadlines[0][0] - self._clock.monotonic())

    def _run_calls(self) -> None:
        os.eventfd_read(self._wake)
        # Reset before the calls are taken: whoever appends after this writes to the eventfd again.
        self._woken = False
        for _ in range(len(self._calls)):
            self._guard(self._calls.popleft())
        if self._calls and not self._woken:
            self._woken = True
            os.eventfd_write(self._wake, 1)

    def _guard(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as failure:  # noqa: BLE001 -- one mistake must not end the service for everybody
            self._on_failure(failure)

    def _pass_deadlines(self) -> None:
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= self.now:
            when, _, timed = heapq.heappop(deadlines)
            if when != timed.scheduled:
                continue  # an earlier one was pushed after this entry, and stands for it
            timed.scheduled = NEVER
            if timed.deadline <= self.now:
                timed.deadline = NEVER
                self._guard(timed.on_deadline)
            elif timed.deadline != NEVER:
                self._push(timed, timed.deadline)


class Timer:
    """Calls back once after a delay."""

    __slots__ = ("_call", "deadline", "scheduled")

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self.deadline = NEVER
        self.scheduled = NEVER

    def on_deadline(self) -> None:
        """Call back."""
        self._call()
