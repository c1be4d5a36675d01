"""Audit devices: one file per type, one small protocol. Which types exist is listed by the composition root, not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from strongroom.audit.options import Limits


class DeviceFailed(Exception):
    """A device could not make records durable. The text says why in our words: no path, no address, no text of the system's."""


class Device(Protocol):
    """A place that keeps records. Its methods are called by one thread of its own, and may take as long as they like."""

    def write(self, lines: bytes) -> None:
        """Keep ``lines``, each of which ends in a newline. They are durable on return, or DeviceFailed is raised.

        After DeviceFailed some of the lines may have been kept and some not; no line is ever kept in part without being told
        apart from the lines after it. The next call tries afresh.
        """
        ...

    def reopen(self) -> None:
        """Let go of what is open and open it again (after a log rotation). Raises DeviceFailed."""
        ...

    def close(self) -> None:
        """Let go of everything. Never raises; a later write opens again."""
        ...


@runtime_checkable
class Rereads(Protocol):
    """A device that can show the end of what it keeps, so that a chain goes on where the last one ended."""

    def tail(self) -> bytes:
        """The last lines that are kept, about four megabytes at most; empty where there are none or they cannot be read."""
        ...


class DeviceType(Protocol):
    """Makes devices of one type. Nothing is opened before the first write or ``reopen``."""

    def __call__(self, options: Mapping[str, str], limits: Limits) -> Device:
        """The device for ``options``. Raises InvalidRequest where they are wrong or ``limits`` forbid them."""
        ...
