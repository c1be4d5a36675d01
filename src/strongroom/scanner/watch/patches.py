"""Patches as git writes them: for each file the lines that are added, where they stand in the new version, and whose commit it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMIT = re.compile(rb"From ([0-9a-f]{40}|[0-9a-f]{64}) Mon Sep 17 00:00:00 2001")
_HUNK = re.compile(rb"@@ -[0-9]{1,9}(?:,[0-9]{1,9})? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@.*", re.DOTALL)
_NO_FILE = b"/dev/null"


@dataclass(frozen=True, slots=True)
class Addition:
    """A run of lines that a commit adds to a file, from `line` on. For the message of a commit, `path` is empty."""

    data: bytes
    path: str
    line: int
    commit: str = ""
    author: str = ""
    time: str = ""


def additions_of(patch: bytes) -> Iterator[Addition]:
    """What a patch adds: one of `git diff`, or the mails of `git format-patch`, one after the other."""
    reader = _Reader()
    for line in patch.split(b"\n"):
        yield from reader.take(line)
    yield from reader.flush()


class _Reader:
    """Reads line by line. Within a hunk the counts of its head say what a line is: added text can look like any head."""

    def __init__(self) -> None:
        self._commit, self._author, self._time = "", "", ""
        self._path = ""
        self._run: list[bytes] = []
        self._first = 1
        self._number = 0
        self._left = 0
        self._is_message = False

    def take(self, line: bytes) -> Iterator[Addition]:
        if self._left > 0 and line[:1] in {b"+", b" ", b"-", b"\\", b""}:
            yield from self._in_hunk(line)
            return
        self._left = 0
        commit = _COMMIT.fullmatch(line)
        if commit:
            yield from self.flush()
            self._commit, self._author, self._time = commit[1].decode(), "", ""
            self._path, self._is_message, self._first = "", True, 1
        elif line.startswith(b"diff --git "):
            yield from self.flush()
            self._path, self._is_message = _path(line.rpartition(b" b/")[2]), False
        elif line.startswith(b"+++ ") and not self._is_message:
            name = line[4:].rstrip(b"\t\r")
            self._path = self._path if name == _NO_FILE else _path(name.removeprefix(b"b/"))
        elif (hunk := _HUNK.fullmatch(line)) and not self._is_message:
            yield from self.flush()
            self._number, self._left = int(hunk[1]), int(hunk[2] or 1)
        elif self._is_message:
            self._in_message(line)

    def _in_hunk(self, line: bytes) -> Iterator[Addition]:
        sign = line[:1]
        if sign == b"+":
            if not self._run:
                self._first = self._number
            self._run.append(line[1:])
        elif sign in {b" ", b""}:  # some programs take the blank of an empty line away
            yield from self.flush()
        if sign in {b"+", b" ", b""}:
            self._number += 1
            self._left -= 1

    def _in_message(self, line: bytes) -> None:
        if line.startswith(b"From: ") and not self._author:
            self._author = line[6:].decode("utf-8", "replace").strip()
        elif line.startswith(b"Date: ") and not self._time:
            self._time = line[6:].decode("utf-8", "replace").strip()
        self._run.append(line)

    def flush(self) -> Iterator[Addition]:
        if self._run and (self._path or self._is_message):
            data = b"\n".join(self._run)
            yield Addition(data, self._path, self._first, self._commit, self._author, self._time)
        self._run = []


def _path(name: bytes) -> str:
    """A name as git writes it: in quotes, with escapes, where it has unusual bytes."""
    if len(name) >= 2 and name.startswith(b'"') and name.endswith(b'"'):
        name = name[1:-1].removeprefix(b"b/").replace(b'\\"', b'"')
    return name.decode("utf-8", "backslashreplace")
