"""All channels together: which devices there are, and whether enough of them kept what they were given, in time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from strongroom.audit.channel import STOOD_STILL_SECONDS, Channel
from strongroom.audit.enabled import Enabled
from strongroom.audit.line import Line
from strongroom.audit.options import Format
from strongroom.audit.rule import Rule
from strongroom.audit.trail import Source
from strongroom.audit.writer import Job, Reply, Writer
from strongroom.logical.ambient import Clock
from strongroom.logical.errors import InvalidRequest

PATIENCE_SECONDS = 0.1
"""How long a device that is not needed for the rule is waited for."""

Action = Callable[[Writer], bool]


class Channels:
    """The enabled devices. Safe to use from several threads; nothing here ever waits for a device beyond its deadline."""

    def __init__(self, source: Source, rule: Rule) -> None:
        self._source = source
        self._clock: Clock = source.clock
        self._rule = rule
        self._lock = threading.Lock()
        self.all: tuple[Channel, ...] = ()
        """Replaced as a whole, so that readers need no lock."""
        self.forms: tuple[Format, ...] = ()
        self._tried: Channel | None = None

    def add(self, enabled: Enabled) -> None:
        """Use a device from now on. Raises InvalidRequest where the name is taken."""
        with self._lock:
            if any(channel.name == enabled.name for channel in self.all):
                raise InvalidRequest(
                    "an audit device is enabled under this name already; disable it first or choose another"
                )
            tried, self._tried = self._tried, None
            is_tried = tried is not None and tried.enabled is enabled
            self._replace([*self.all, tried if is_tried and tried else Channel(enabled, self._source)])

    def remove(self, name: str, *last: Action) -> bool:
        """Stop using a device, after ``last``, and close it. Returns whether there was one."""
        with self._lock:
            gone = [channel for channel in self.all if channel.name == name]
            self._replace([channel for channel in self.all if channel.name != name])
        for channel in gone:
            self._close(channel, *last)
        return bool(gone)

    def try_out(self, enabled: Enabled, lines: Sequence[Line]) -> None:
        """Write ``lines`` to a device that is to be added next. Raises InvalidRequest with the reason why it cannot be used."""
        channel = Channel(enabled, self._source)
        job = Job(queue.SimpleQueue(), self._expiry(), lines)
        if not self._wait([channel], job, is_patient=True):
            reason = channel.reason
            self._close(channel)
            raise InvalidRequest(f"the audit device does not work: {reason}")
        with self._lock:
            self._tried = channel

    def keep(self, channels: Sequence[Channel], lines: Sequence[Line]) -> bool:
        """Give ``lines`` to all of ``channels``; whether so many kept them that the rule holds.

        A device that failed is left alone for a while, and tried again at once where the rule would not hold without it.
        """
        now = self._clock.monotonic()
        job = Job(queue.SimpleQueue(), self._expiry(), lines)
        due = [channel for channel in channels if channel.is_due(now)]
        kept = self._wait(due, job, is_patient=False)
        if self._rule.holds(kept):
            return True
        rest = [channel for channel in channels if channel not in due]
        if rest:
            kept |= self._wait(rest, replace(job, reply=queue.SimpleQueue()), is_patient=False)
        return self._rule.holds(kept)

    def ask_all(self, action: Action, others: Sequence[Enabled] = ()) -> set[str]:
        """Have every device do ``action``; answers the names of those that did it in time.

        So do ``others``, which are not in use, and are let go of again.
        """
        visitors = [Channel(enabled, self._source) for enabled in others]
        job = Job(queue.SimpleQueue(), self._expiry(), action=action)
        try:
            return self._wait([*self.all, *visitors], job, is_patient=True)
        finally:
            for channel in visitors:
                self._close(channel)

    def _wait(self, channels: Sequence[Channel], job: Job, *, is_patient: bool) -> set[str]:
        """Submit ``job`` and gather who did it: as many as the rule needs by the deadline, and others that are quick."""
        waiting = {}
        for channel in channels:
            is_behind = channel.is_behind
            if channel.submit(job, self._clock.monotonic()):
                waiting[channel.name] = (channel, is_behind)
        done: set[str] = set()
        reply: Reply = job.reply
        may_be_late = True
        while waiting:
            is_enough = not is_patient and self._rule.holds(done)
            if is_enough and all(is_behind for _, is_behind in waiting.values()):
                break
            timeout = PATIENCE_SECONDS if is_enough else max(0.0, job.expires - self._clock.monotonic())
            try:
                name, is_done = reply.get(timeout=timeout)
            except queue.Empty:
                now = self._clock.monotonic()
                if may_be_late and now - job.expires > STOOD_STILL_SECONDS:
                    may_be_late, job.expires = False, now + STOOD_STILL_SECONDS
                    continue
                if not is_enough:
                    for channel, _ in waiting.values():
                        channel.give_up()
                break
            waiting.pop(name)
            if is_done:
                done.add(name)
        return done

    def _close(self, channel: Channel, *last: Action) -> None:
        for action in (*last, Writer.close):
            self._wait([channel], Job(queue.SimpleQueue(), self._expiry(), action=action), is_patient=True)
        channel.stop()

    def _expiry(self) -> float:
        return self._clock.monotonic() + self._source.deadline_seconds

    def _replace(self, channels: Sequence[Channel]) -> None:
        self.all = tuple(channels)
        self.forms = tuple({channel.enabled.form: None for channel in channels})
