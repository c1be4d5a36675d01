"""What a version of a file adds to those before it: its lines that none of them has, with so much around them as it takes to see what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from strongroom.scanner.containers.kinds import kind_or_appended
from strongroom.scanner.fragment import Fragment, Span

_SNIFFED = 8000
_AROUND = 4096
"""Bytes before and behind new lines that are read with them: the name of a value stands on a line above, a key begins on a line that was there."""


def added(path: str, data: bytes, before: Sequence[bytes], object_id: str) -> Iterator[Fragment]:
    """The new lines, each where it stands, and those around them: of a fragment only what touches its `fresh` lines counts.

    What is no text, what can be opened, and what had no version before, is new as a whole. A line that was moved is not new. Whatever lies on lines that
    were there before was there to be found before.
    """
    if not before or kind_or_appended(data) or any(b"\0" in version[:_SNIFFED] for version in (data, *before)):
        yield Fragment(path, data, 1, object_id)
        return
    lines = data.split(b"\n")
    for first, last, fresh in _stretches(lines, _new_lines(lines, before)):
        yield Fragment(path, b"\n".join(lines[first - 1 : last]), first, object_id, fresh=fresh)


def _new_lines(lines: Sequence[bytes], before: Sequence[bytes]) -> Iterator[Span]:
    """The runs of lines that no version before has: first and last number, from 1."""
    known = {line.rstrip(b"\r") for version in before for line in version.split(b"\n")}
    number = 1
    for is_known, run in groupby(line.rstrip(b"\r") in known for line in lines):
        size = sum(1 for _ in run)
        if not is_known:
            yield number, number + size - 1
        number += size


def _stretches(lines: Sequence[bytes], runs: Iterator[Span]) -> Iterator[tuple[int, int, tuple[Span, ...]]]:
    """Runs with what is around them, as first line, last line and the runs themselves; those that are near each other together."""
    first = last = 0
    fresh: list[Span] = []
    for run in runs:
        begin = _reach(lines, run[0], -1)
        if fresh and begin > last + 1:
            yield first, last, tuple(fresh)
            fresh = []
        first, last = first if fresh else begin, _reach(lines, run[1], 1)
        fresh.append(run)
    if fresh:
        yield first, last, tuple(fresh)


def _reach(lines: Sequence[bytes], line: int, step: int) -> int:
    """The last line that is read with `line`, going on in steps of 1 or -1."""
    left = _AROUND
    while 1 <= line + step <= len(lines) and (left := left - len(lines[line + step - 1]) - 1) >= 0:
        line += step
    return line
