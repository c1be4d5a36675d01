"""A channel: the bounded queue before a device's thread, and what is known of the device without asking it."""

from __future__ import annotations

import queue
import threading
import weakref

from strongroom.audit.enabled import Enabled
from strongroom.audit.trail import Source, Trail
from strongroom.audit.writer import Inbox, Job, Writer

QUEUE_MAX = 1024
STOOD_STILL_SECONDS = 0.5
"""Who wakes up so long after a deadline was not running meanwhile (a stopped process, a machine that was moved), and so was no device.
It waits once more, for as long."""


class Channel:
    """An enabled device. Its thread starts with the first job, and ends when the channel is stopped or forgotten."""

    def __init__(self, enabled: Enabled, source: Source) -> None:
        self.enabled = enabled
        self.name = enabled.name
        self._inbox: Inbox = queue.SimpleQueue()
        self._writer = Writer(enabled, source)
        self._deadline_seconds = source.deadline_seconds
        self._overdue: tuple[float | None, float] = (None, 0.0)
        """What the device was seen to be over its time with, by when that began, and when it was seen first."""
        self._is_started = False
        self._lock = threading.Lock()

    @property
    def is_healthy(self) -> bool:
        """Whether the last that is known of the device is good."""
        return self._writer.is_healthy

    @property
    def failures(self) -> int:
        """How often it failed."""
        return self._writer.failures

    @property
    def reason(self) -> str:
        """Why it failed last, in our words; empty where it never did."""
        return self._writer.reason

    @property
    def trail(self) -> Trail:
        """Its trail, to look at and nothing else."""
        return self._writer.trail

    @property
    def is_behind(self) -> bool:
        """Whether jobs wait already."""
        return self._inbox.qsize() > 0 or self._writer.busy_since is not None

    def is_stuck(self, now: float) -> bool:
        """Whether the device hangs: somebody waited for it in vain, or it is at one thing for longer than it may, and has not come back.

        That it is over its time counts only once it was seen before: this process may have stood still meanwhile, and the device with it.
        """
        busy_since = self._writer.busy_since
        if busy_since is None or self._writer.was_given_up:
            return busy_since is not None
        if now - busy_since <= self._deadline_seconds:
            return False
        if self._overdue[0] != busy_since:
            self._overdue = (busy_since, now)
        return now - self._overdue[1] > STOOD_STILL_SECONDS

    def is_due(self, now: float) -> bool:
        """Whether the device is well, or was left alone for long enough to try again."""
        return self._writer.is_healthy or self._writer.retry_at <= now

    def submit(self, job: Job, now: float) -> bool:
        """Queue ``job``. Where the device hangs, or too much waits for it, nothing is queued and the answer is False."""
        if self.is_stuck(now) or self._inbox.qsize() >= QUEUE_MAX:
            self._writer.miss(len(job.lines))
            return False
        self._inbox.put(job)
        if not self._is_started:
            self._start()
        return True

    def give_up(self) -> None:
        """The device did not answer within its deadline."""
        self._writer.give_up()

    def stop(self) -> None:
        """Let the thread end once everything that waits is done."""
        self._inbox.put(None)

    def _start(self) -> None:
        with self._lock:
            if self._is_started:
                return
            self._is_started = True
            # The thread holds the writer and never the channel: a channel that is forgotten ends its thread.
            weakref.finalize(self, self._inbox.put, None).atexit = False
            # A daemon, since a device that hangs must not keep the process from ending.
            threading.Thread(target=self._writer.run, args=(self._inbox,), name="audit", daemon=True).start()
