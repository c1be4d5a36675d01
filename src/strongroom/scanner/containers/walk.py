"""The way through containers: what a file is, by its first bytes; what it holds; and all of that in pieces that can be scanned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, cast

from strongroom.scanner.containers.holes import without_holes
from strongroom.scanner.containers.kinds import HEAD_BYTES, PROGRAMS, appended_kind, kind_of, kind_or_appended
from strongroom.scanner.containers.limits import Budget, DamagedContainer, LimitReached, Limits
from strongroom.scanner.containers.member import Chained, Kind, Member, Opening, Seekable, Stream
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.names import may_hold_secret
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.windows import fragments_of

_READ = 1 << 20


def expand(fragment: Fragment, limits: Limits, report: Report) -> Iterator[Fragment]:
    """All there is to scan of `fragment`: itself, unless its own bytes hold nothing readable, and whatever is packed in it.

    Paths of what is inside continue the fragment's (`a.zip!/x/y.py`); names are labels, and nothing is ever written.
    What is damaged, encrypted or beyond `limits` goes to `report`. An ordinary file costs a glance at its first bytes.
    """
    is_whole = fragment.line == fragment.column == 1 and fragment.own_end is None
    kind = kind_or_appended(fragment.data) if is_whole else None
    if kind is None:
        yield fragment
        return
    walk = _Walk(Budget(limits, len(fragment.data)), report, fragment.object_id)
    yield from _until_limit(
        walk.opened(kind, fragment.path, BytesIO(fragment.data), fragment, fragment.path.count("!/"))
    )


def expand_file(path: str, file: Seekable, size: int, limits: Limits, report: Report) -> Iterator[Fragment]:
    """The same for a file of `size` bytes that is too large to be one fragment: it is read as it is scanned, and never held."""
    walk = _Walk(Budget(limits, size), report)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    kind = kind_of(head)
    if kind is None:
        yield from windows(path, without_holes(file))
        return
    yield from _until_limit(walk.opened(kind, path, file, None, path.count("!/")))
    if not kind.hides:
        file.seek(0)
        yield from windows(path, without_holes(file))


def expand_stream(path: str, stream: Stream, limits: Limits, report: Report, object_id: str = "") -> Iterator[Fragment]:
    """The same for a stream that is read once, and whose size nobody knows."""
    walk = _Walk(Budget(limits, limits.total_bytes), report, object_id)
    yield from _until_limit(walk.entry(path, Member("", stream), path.count("!/")))


def _until_limit(fragments: Iterator[Fragment]) -> Iterator[Fragment]:
    """The fragments up to a limit, which was reported where it was reached."""
    try:
        yield from fragments
    except LimitReached:
        return


def read_up_to(stream: Stream, size: int) -> bytes:
    """The next `size` bytes, or all that there are before the end or before a fault."""
    parts: list[bytes] = []
    while size > 0:
        try:
            part = stream.read(min(size, _READ))
        except (DamagedContainer, LimitReached):
            if not parts:
                raise
            break  # what came before is scanned first; the next read raises again
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _ToItsFault:
    """A stream that ends at its fault, and tells of it afterwards, so that all before it is scanned."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.fault: Exception | None = None

    def read(self, size: int = -1, /) -> bytes:
        if self.fault:
            return b""
        try:
            return read_up_to(self._stream, size)
        except (DamagedContainer, LimitReached) as fault:
            self.fault = fault
            return b""


def windows(path: str, stream: Stream, object_id: str = "") -> Iterator[Fragment]:
    """A stream as one fragment or as several that overlap. Raises the stream's fault, after all that came before it."""
    readable = _ToItsFault(stream)
    yield from fragments_of(cast("BinaryIO", readable), path, object_id)
    readable.read(1)  # whether it was meant to end there is known only behind the end
    if readable.fault:
        raise readable.fault


@dataclass(slots=True)
class _Counted:
    """A stream that spends the budget, and gives its first bytes twice."""

    stream: Stream
    budget: Budget
    head: bytes = b""
    stop: LimitReached | None = None

    def peek(self) -> bytes:
        self.head = read_up_to(self, HEAD_BYTES)
        return self.head

    def read(self, size: int = -1, /) -> bytes:
        wanted = size if size >= 0 else _READ
        if self.head:
            part, self.head = self.head[:wanted], self.head[wanted:]
            return part
        if self.stop:
            raise self.stop
        part = self.stream.read(min(wanted, _READ)) if wanted else b""
        try:
            self.budget.spend(len(part))
        except LimitReached as stop:
            self.stop = stop
            raise
        return part


@dataclass(slots=True)
class _Walk:
    """The expansion of one fragment, with one budget for all depths."""

    budget: Budget
    report: Report
    object_id: str = ""
    is_stopped: bool = False

    def opened(self, kind: Kind, path: str, stream: Stream, own: Fragment | None, depth: int) -> Iterator[Fragment]:
        """What the container at `path` holds; then `own`, its own bytes, if they are worth a scan or could not be opened."""
        faults: list[str] = []
        if own and not kind.hides:
            yield own
        try:
            for member in kind.open(stream, Opening(self.budget, faults.append)):
                self.budget.enter()
                inside = path if kind.replaces else f"{path}!/{member.name}"
                if may_hold_secret(member.name):
                    yield Fragment(inside, member.name.encode(), 1, self.object_id)
                yield from self.entry(inside, member, depth + 1)
        except DamagedContainer as damage:
            faults.append(str(damage))
        except LimitReached as reached:
            if not self.is_stopped:
                self.report(Problem(path, f"not scanned to its end: {reached}"))
            self.is_stopped = True
            raise
        except (RecursionError, MemoryError):
            faults.append("it is nested too deeply to be read")
        for fault in dict.fromkeys(faults):
            self.report(Problem(path, fault))
        if own and kind.hides and faults:
            yield own

    def entry(self, path: str, member: Member, depth: int) -> Iterator[Fragment]:
        """One member: opened if it is a container, else in pieces."""
        stream = _Counted(member.stream, self.budget)
        try:
            head = stream.peek()
            kind = None if member.is_text else kind_of(head)
            if kind and depth >= self.budget.limits.depth:
                self.report(
                    Problem(path, f"not opened: it is nested deeper than {self.budget.limits.depth} containers")
                )
                kind = None
            if kind is None and head.startswith(PROGRAMS) and not member.is_text and depth < self.budget.limits.depth:
                yield from self._program(path, stream, depth)
            elif kind is None:
                yield from windows(path, stream, self.object_id)
            else:
                yield from self._nested(kind, path, stream, depth)
        except DamagedContainer as damage:
            self.report(Problem(path, str(damage)))

    def _program(self, path: str, stream: Stream, depth: int) -> Iterator[Fragment]:
        """A program, which may have an archive behind it."""
        data = read_up_to(stream, self.budget.limits.whole_bytes)
        if kind := appended_kind(data):
            yield from self.opened(kind, path, BytesIO(data), Fragment(path, data, 1, self.object_id), depth)
        else:
            yield from windows(path, Chained(data, stream), self.object_id)

    def _nested(self, kind: Kind, path: str, stream: Stream, depth: int) -> Iterator[Fragment]:
        if kind.hides and not kind.is_seeked:
            yield from self.opened(kind, path, stream, None, depth)
            return
        limit = self.budget.limits.whole_bytes
        data = read_up_to(stream, limit + 1)
        own = Fragment(path, data, 1, self.object_id)
        if len(data) > limit:
            self.report(Problem(path, f"not opened: it is longer than {limit >> 20} MiB, and within another container"))
            yield from windows(path, Chained(data, stream), self.object_id)
            return
        yield from self.opened(kind, path, BytesIO(data), own, depth)
