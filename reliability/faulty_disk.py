"""Faults of the disk: a file layer for SQLite, and the calls of the audit file, which fail at the Nth change, once or for ever."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import apsw

from strongroom.audit.devices import file as audit_file


class Fault(Enum):
    """What happens."""

    ERROR = "an I/O error"
    FULL = "no space is left"
    SHORT = "a part is written"


@dataclass
class Schedule:
    """When: at the change after ``passing`` others (never, where that is negative), and from then on where it ``goes_on``."""

    fault: Fault = Fault.ERROR
    passing: int = -1
    goes_on: bool = False
    happened: int = 0

    def is_due(self) -> bool:
        """Count a change; whether it is one that fails."""
        if self.passing < 0:
            return False
        if self.passing > 0:
            self.passing -= 1
            return False
        self.happened += 1
        if not self.goes_on:
            self.passing = -1
        return True

    def stop(self) -> None:
        """No faults from now on."""
        self.passing = -1


class FaultyFile(apsw.VFSFile):
    """A file of the layer."""

    def __init__(self, schedule: Schedule, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._schedule = schedule

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- the layer's name for it
        """Write, or fail."""
        if not self._schedule.is_due():
            super().xWrite(data, offset)
            return
        if self._schedule.fault is Fault.SHORT:
            super().xWrite(data[: len(data) // 2], offset)
        self._fail()

    def xSync(self, flags: int) -> None:  # noqa: N802 -- the layer's name for it
        """Sync, or fail."""
        if self._schedule.is_due():
            self._fail()
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- the layer's name for it
        """Cut, or fail."""
        if self._schedule.is_due():
            self._fail()
        super().xTruncate(newsize)

    def _fail(self) -> None:
        raise apsw.FullError if self._schedule.fault is Fault.FULL else apsw.IOError


class FaultyDisk(apsw.VFS):
    """The layer ``name``. Set ``schedule`` before files are opened."""

    def __init__(self, name: str, schedule: Schedule) -> None:
        self.name = name
        self._schedule = schedule
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FaultyFile:  # noqa: N802 -- as above
        """Open a file."""
        return FaultyFile(self._schedule, name, flags)


class _FaultyCalls:
    """The calls of the operating system, as the audit file sees them."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write all, a part, or nothing."""
        if not self._schedule.is_due():
            return os.write(descriptor, data)
        if self._schedule.fault is Fault.SHORT:
            return os.write(descriptor, data[: len(data) // 2])
        full = self._schedule.fault is Fault.FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, "a fault")


@contextmanager
def faulty_audit(schedule: Schedule) -> Iterator[None]:
    """Have the audit file fail by ``schedule``."""
    names = vars(audit_file)
    before = names["os"]
    names["os"] = _FaultyCalls(schedule)
    try:
        yield
    finally:
        names["os"] = before
