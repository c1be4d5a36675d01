"""One archive or document that somebody names, whatever its size."""

from __future__ import annotations

import os
from collections.abc import Iterator

from strongroom.scanner.containers import Limits, is_container
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.sources.files import FileReader, shown_path


class Archive:
    """The file at `path`. Raises ScanFailed unless there is such a file."""

    def __init__(self, path: str, report: Report, *, limits: Limits | None = None) -> None:
        self._path = os.fsencode(os.path.realpath(path))
        if not os.path.isfile(self._path):
            raise ScanFailed("there is no such file")
        self._shown = shown_path(os.path.basename(os.fsencode(path)))
        self._report = report
        self._limits = limits or Limits()

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """What it holds, for whoever claims it."""
        for _ in share.claim((self._shown,)):
            try:
                with open(self._path, "rb") as file:
                    if not is_container(file.read(4096)):
                        what = "it is in no format that can be opened: it was scanned as it is"
                        self._report(Problem(self._shown, what, is_note=True))
            except OSError:
                self._report(Problem(self._shown, "not read: the system could not open or read it"))
                return
            yield from FileReader(self._path, self._limits, self._report).read(b"", self._shown)
