"""Reads an audit file as it grows: whole lines, and the ids of the requests whose answers stand in it."""

from __future__ import annotations

import json
from pathlib import Path


class AuditLog:
    """The file at ``path``. ``broken`` counts lines that are no records and were not cut off by a crash."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.responses: set[str] = set()
        self.broken = 0
        self.torn = 0

    def read(self) -> None:
        """Take in what was added."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        # A line without its end may still get it: the server ends what a crash cut off before it writes the next one.
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        for line in content[:whole].splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        if not line:
            return
        try:
            record = json.loads(line)
        except ValueError:
            # Cut off, and so never acted upon; nothing but the beginning of a record can be that.
            is_beginning = b'{"'.startswith(line[:2])
            self.torn += is_beginning
            self.broken += not is_beginning
            return
        if record.get("type") == "response":
            self.responses.add(record["request"]["id"])
