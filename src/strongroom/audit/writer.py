"""The writer: the thread that a device has to itself. Whatever the device does, only this thread waits for it.

What waits in the queue is written together: with a device that flushes to the disk, one flush serves several batches.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.audit.devices import DeviceFailed, Rereads
from strongroom.audit.enabled import Enabled
from strongroom.audit.line import Line
from strongroom.audit.trail import Source, Trail
from strongroom.evidence.checkpoint import Reason

RETRY_SECONDS = 1.0
_TOGETHER_MAX = 64
_LATE = "it did not answer in time"
_BROKEN = "it failed in a way that nobody foresaw"

Reply = queue.SimpleQueue[tuple[str, bool]]
Inbox = queue.SimpleQueue["Job | None"]


@dataclass(slots=True)
class Job:
    """Something for a writer to do: keep ``lines``, or, where there is an ``action``, that.

    The answer on ``reply`` is the device's name and whether it was done. After ``expires`` (of the monotonic clock), which only
    who waits may put off, nobody waits for it any more, and lines are not written.
    """

    reply: Reply
    expires: float
    lines: Sequence[Line] = ()
    action: Callable[[Writer], bool] | None = None


class Writer:
    """One device and its trail. Only ``give_up`` and ``miss`` may be called from threads other than the device's own.

    ``busy_since`` is when the device was last asked for something that it has not answered yet, by the monotonic clock.
    """

    def __init__(self, enabled: Enabled, source: Source) -> None:
        self.trail = Trail(enabled, source)
        self.is_healthy = True
        self.failures = 0
        self.reason = ""
        self.retry_at = 0.0
        self.busy_since: float | None = None
        self.was_given_up = False
        self._enabled = enabled
        self._device = enabled.device
        self._clock = source.clock
        self._missed = 0

    # From any thread

    def give_up(self) -> None:
        """Nobody waits any more for what the device is doing."""
        self.was_given_up = True
        self._fail(_LATE)

    def miss(self, lines: int) -> None:
        """So many lines are not even tried."""
        self._missed += lines

    # From the device's thread

    def run(self, inbox: Inbox) -> None:
        """Do jobs until None comes."""
        while self._do_next(inbox):
            # Nothing of a job is kept while waiting for the next one: its lines hold on to the request, and to much else.
            pass

    def _do_next(self, inbox: Inbox) -> bool:
        job = inbox.get()
        jobs: list[Job] = []
        while job is not None and job.action is None:
            jobs.append(job)
            if len(jobs) == _TOGETHER_MAX or not inbox.qsize():
                break
            job = inbox.get()
        if jobs:
            self._keep(jobs)
        if job is not None and job.action is not None:
            job.reply.put((self._enabled.name, job.action(self)))
        return job is not None

    def append(self, records: Sequence[bytes], *reasons: Reason) -> bool:
        """Write ``records`` and a checkpoint for each of ``reasons``; whether the device kept all of it."""
        missed, self._missed = self._missed, 0
        self.trail.missed += missed

        def write() -> None:
            content = self.trail.lines(records, *reasons)
            if content:
                self._device.write(content)

        if self._attempt(write):
            self.trail.kept()
            return True
        self.trail.lost(len(records))
        return False

    def reopen(self) -> bool:
        """Let go of the file and open the one of that name: the last line of one and the first of the other are checkpoints."""
        self.append([], Reason.ROTATE)
        if not self._attempt(self._device.reopen):
            return False
        self.trail.reopened()
        return self.append([], Reason.REOPENED)

    def catch_up(self) -> bool:
        """Write what a sealing, an unsealing or the passing of time makes due."""
        return self.append([])

    def show_tail(self, tails: dict[str, bytes]) -> bool:
        """Put the last lines that the device keeps into ``tails``, where it can show them."""
        device = self._device
        if isinstance(device, Rereads):
            tails[self._enabled.name] = device.tail()
        return True

    def close(self) -> bool:
        """Let go of the device."""
        self._device.close()
        return True

    def _keep(self, jobs: Sequence[Job]) -> None:
        rendered = [self._rendered(job) for job in jobs]
        records = [record for texts in rendered if texts for record in texts]
        is_kept = bool(records) and self.append(records)
        for job, texts in zip(jobs, rendered, strict=True):
            job.reply.put((self._enabled.name, texts is not None and is_kept))

    def _rendered(self, job: Job) -> list[bytes] | None:
        if job.expires < self._clock.monotonic():
            self._missed += len(job.lines)
            return None
        form = self._enabled.form
        try:
            return [line.text(form) for line in job.lines]
        except Exception:  # noqa: BLE001 -- a record that cannot be made for this device is not kept by it
            self._missed += len(job.lines)
            return None

    def _attempt(self, action: Callable[[], None]) -> bool:
        """Every failure is the device's, so that one cannot take the others with it."""
        self.was_given_up = False
        self.busy_since = self._clock.monotonic()
        try:
            action()
        except DeviceFailed as failed:
            self._fail(str(failed))
            return False
        except Exception:  # noqa: BLE001 -- a broken device must count as failed, whatever it raises; nothing is let through
            self._fail(_BROKEN)
            return False
        finally:
            self.busy_since = None
        self.is_healthy = True
        return True

    def _fail(self, reason: str) -> None:
        self.is_healthy = False
        self.failures += 1
        self.reason = reason
        self.retry_at = self._clock.monotonic() + RETRY_SECONDS
