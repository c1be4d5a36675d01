"""Standard input, or any other stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from strongroom.scanner.containers import Limits, expand_stream
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report

_WHOLE_BYTES = 16 << 20


class Stdin:
    """All of `stream`, read by one worker. A container in it is opened, whatever its length, except for those that are read from their ends."""

    def __init__(
        self, stream: BinaryIO, report: Report, *, shown: str = "<stdin>", limits: Limits | None = None
    ) -> None:
        self._stream = stream
        self._report = report
        self._shown = shown
        self._limits = limits or Limits()

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """The stream, for whoever claims it."""
        for _ in share.claim((self._shown,)):
            try:
                yield from expand_stream(self._shown, self._stream, self._limits, self._report)
            except OSError:
                self._report(Problem(self._shown, "not read to its end: reading failed"))
