"""Backups of one server: those that clients are fetching, and what is known about those that are made on a schedule.

A backup for a client is written to a file without a name first, encrypted like any other, and fetched from there in parts. So a slow client
holds no snapshot open, a part can be asked for again, and nothing is left behind whatever ends the process.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO, cast

from strongroom.backup.form import AuditHead
from strongroom.backup.writing import Task, Written, write_backup
from strongroom.barrier.barrier import Surroundings
from strongroom.logical.ambient import Clock
from strongroom.logical.errors import InvalidRequest, LogicalError, NotFound, UpstreamFailed
from strongroom.physical.store import StoreError
from strongroom.system.unsealed import Unsealed

PART_BYTES = 1024 * 1024
IDLE_SECONDS = 600.0
"""A backup that nobody asked for during this time is dropped."""
AT_ONCE_MAX = 2
SHARE = 0.5
"""The part of a processor that the making of a backup may take."""
SPARE_BYTES = 4 * 1024 * 1024
_DISK = "the backup could not be written: the file system of the data folder is full or failed; free some space"


class Stage(Enum):
    """How far a backup is."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What is known about the backups of the schedule; instants are nanoseconds since the epoch, 0 for never."""

    last_success_ns: int = 0
    last_failure_ns: int = 0
    failure: str = ""
    next_ns: int = 0
    bytes: int = 0


class Abandoned(Exception):
    """Nobody wants the backup any more: the vault was sealed, or the process ends."""


class Pace:
    """Called after each chunk: rests as long as the work took, so that requests get their turn. Raises Abandoned once told to stop."""

    def __init__(self, clock: Clock, stopping: threading.Event) -> None:
        self._clock = clock
        self._stopping = stopping
        self._started = clock.monotonic()

    def __call__(self) -> None:
        """Rest."""
        worked = self._clock.monotonic() - self._started
        if self._stopping.wait(min(worked * (1 - SHARE) / SHARE, 1.0)):
            raise Abandoned
        self._started = self._clock.monotonic()


@dataclass(slots=True)
class Fetched:
    """A backup that a client fetches. ``written`` is there once it is complete, ``refusal`` once it failed."""

    number: int
    file: BinaryIO
    asked_at: float
    stage: Stage = Stage.RUNNING
    written: Written | None = None
    refusal: LogicalError | None = None
    done: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Stop the writing, and give the space back once that is over."""
        self.stopping.set()
        if self.done.is_set():
            with self.lock:
                self.file.close()


class Backups:
    """Safe to use from several threads. ``folder`` is where the nameless files lie; empty for the system's folder of temporary files."""

    def __init__(self, clock: Clock, folder: str) -> None:
        self._clock = clock
        self._folder = folder
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._fetched: dict[int, Fetched] = {}
        self.scheduled = Scheduled()

    def begin(self, make_task: Callable[[Callable[[], None]], Task]) -> Fetched:
        """Begin a backup. Raises InvalidRequest where too many are under way, and UpstreamFailed where there is no place for it."""
        with self._lock:
            self._drop_idle()
            if len(self._fetched) >= AT_ONCE_MAX:
                raise InvalidRequest("other backups are being fetched; wait until they are through, or delete one")
            try:
                file = cast("BinaryIO", tempfile.TemporaryFile(dir=self._folder or None, prefix="strongroom-backup-"))  # noqa: SIM115 -- closed by whoever ends the fetching
            except OSError:
                raise UpstreamFailed(_DISK) from None
            fetched = Fetched(next(self._numbers), file, self._clock.monotonic())
            self._fetched[fetched.number] = fetched
        task = make_task(Pace(self._clock, fetched.stopping))
        threading.Thread(target=self._make, args=(fetched, task), name="backup", daemon=True).start()
        return fetched

    def find(self, number: int) -> Fetched:
        """The backup with this number. Raises NotFound."""
        with self._lock:
            self._drop_idle()
            fetched = self._fetched.get(number)
            if fetched is None:
                raise NotFound
            fetched.asked_at = self._clock.monotonic()
            return fetched

    def part(self, fetched: Fetched, part: int) -> bytes:
        """Part ``part`` of a complete backup, from 0. Raises NotFound beyond the last one, and UpstreamFailed."""
        written = fetched.written
        if written is None or part < 0 or part * PART_BYTES >= written.size:
            raise NotFound
        try:
            with fetched.lock:
                fetched.file.seek(part * PART_BYTES)
                content = fetched.file.read(PART_BYTES)
        except (OSError, ValueError):
            raise UpstreamFailed("the backup cannot be read any more; make another one") from None
        return content

    def drop(self, number: int) -> None:
        """Forget a backup. One that is not there is forgotten already."""
        with self._lock:
            fetched = self._fetched.pop(number, None)
        if fetched is not None:
            fetched.close()

    def drop_all(self) -> None:
        """Forget all: the vault is sealed, or the process ends."""
        with self._lock:
            doomed, self._fetched = list(self._fetched.values()), {}
        for fetched in doomed:
            fetched.close()

    def _drop_idle(self) -> None:
        now = self._clock.monotonic()
        for number, fetched in list(self._fetched.items()):
            if now - fetched.asked_at > IDLE_SECONDS and fetched.done.is_set():
                del self._fetched[number]
                fetched.close()

    def _make(self, fetched: Fetched, task: Task) -> None:
        try:
            fetched.written = write_backup(task, lambda content: _write(fetched.file, content))
            fetched.file.flush()
            fetched.stage = Stage.COMPLETE
        except Abandoned:
            fetched.refusal = UpstreamFailed("the backup was given up: the vault was sealed")
        except LogicalError as refusal:
            fetched.refusal = refusal
        except (OSError, ValueError):
            fetched.refusal = UpstreamFailed(_DISK)
        except StoreError:
            fetched.refusal = UpstreamFailed("the backup could not be made: the store cannot be read")
        finally:
            if fetched.written is None:
                fetched.stage = Stage.FAILED
            fetched.done.set()
            if fetched.stage is Stage.FAILED or fetched.stopping.is_set():
                fetched.close()


def task_of(unsealed: Unsealed, surroundings: Surroundings, pace: Callable[[], None]) -> Task:
    """What to back up of an open vault."""
    return Task(
        unsealed.barrier,
        surroundings,
        unsealed.cluster_id,
        lambda: _audit_heads(unsealed),
        pace,
    )


def _audit_heads(unsealed: Unsealed) -> Mapping[str, AuditHead]:
    return {
        name: AuditHead(kept.head.id, kept.head.sequence, kept.head.hash, kept.generation)
        for name, kept in unsealed.broker.checkpoints.items()
    }


def _write(file: BinaryIO, content: bytes) -> None:
    state = os.fstatvfs(file.fileno())
    if state.f_bavail * state.f_frsize < SPARE_BYTES + len(content):
        raise OSError
    file.write(content)
