"""What a program writes, on its way through us: read from a pipe, masked, written to where it would have gone."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping

from strongroom.delivery.redact import Known, Redactor

RELEASE_SECONDS = 0.1
"""How long the beginning of what may be a secret is held back while nothing follows: short for a person who waits for a prompt."""

_READ_BYTES = 64 * 1024


class Stream:
    """One pipe from the program to one of our descriptors."""

    def __init__(self, known: Known, target: int) -> None:
        self.source, self.end_of_program = os.pipe()
        self._target = target
        self._redactor = Redactor(known)
        self.deadline: float | None = None
        """When what is held back is to be given out, on the clock of whoever calls; None while nothing is."""

    def learn(self, known: Known) -> None:
        """Mask other values from now on."""
        self._redactor.learn(known)

    def pass_on(self, now: float) -> bool:
        """Read what has come and pass it on; False where the program has closed its end, or nobody reads ours."""
        content = os.read(self.source, _READ_BYTES)
        if not content:
            self._write(self._redactor.finish())
            return False
        written = self._write(self._redactor.feed(content))
        self.deadline = now + RELEASE_SECONDS if self._redactor.is_holding else None
        return written

    def release(self) -> bool:
        """Give out what was held back for long enough; False where nobody reads it."""
        self.deadline = None
        return self._write(self._redactor.release())

    def finish(self) -> None:
        """Give out what is left."""
        self._write(self._redactor.finish())

    def stop_reading(self) -> None:
        """Close our end. The program learns of it when it writes, as it would have from its reader."""
        os.close(self.source)
        self.source = -1

    def end_program(self) -> None:
        """The program is gone: once nobody else writes, the stream has an end."""
        if self.end_of_program >= 0:
            os.close(self.end_of_program)
            self.end_of_program = -1

    def close(self) -> None:
        """Close both ends."""
        for descriptor in (self.source, self.end_of_program):
            if descriptor >= 0:
                os.close(descriptor)
        self.source = self.end_of_program = -1

    def _write(self, content: bytes) -> bool:
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[os.write(self._target, rest) :]
            except BlockingIOError:
                # Somebody else made the descriptor so; wait until it takes more.
                select.select((), (self._target,), ())
            except OSError:
                return False
        return True


def filtered(mode: str, known: Known) -> dict[int, Stream]:
    """The streams to put between, by the descriptor of the program: none for a terminal, which is never touched.

    Where standard output and standard error are the same file or pipe they share a stream, so that their order stays.
    """
    if mode == "off":
        return {}
    found: dict[int, Stream] = {}
    by_file: dict[tuple[int, int], Stream] = {}
    for number in (1, 2):
        identity = _identity(number)
        if identity is None:
            continue
        if identity not in by_file:
            by_file[identity] = Stream(known, number)
        found[number] = by_file[identity]
    return found


def has_output_to_filter() -> bool:
    """Whether standard output or standard error goes anywhere but to a terminal."""
    return any(_identity(number) is not None for number in (1, 2))


def _identity(number: int) -> tuple[int, int] | None:
    """Which file a descriptor is; None for a terminal, for nothing, and for one that throws all away."""
    try:
        if os.isatty(number):
            return None
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def descriptors(streams: Mapping[int, Stream]) -> dict[int, int]:
    """Which of our descriptors the program gets for which of its own."""
    return {number: stream.end_of_program for number, stream in streams.items()}
