"""A whole scan: a source's fragments, what is inside of them, and who hears of the hits; in one process or in several."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

from strongroom.scanner.examine import Examiner, Hit, is_binary
from strongroom.scanner.fragment import Fragment, Share, Source, Whole
from strongroom.scanner.fresh_lines import FreshLines
from strongroom.scanner.problem import Problem

Send = Callable[[Any], None]
"""Sends whoever asked for the scan a value that JSON can hold."""
Tell = Callable[[str], None]
"""Told the path of each fragment before it is scanned."""
Expand = Callable[[Fragment], Iterator[Fragment]]
"""A fragment as the fragments that are scanned: itself, and what is inside of it."""

_REPORT_FRAGMENTS = 64
_REPORT_BYTES = 8 * 1024 * 1024
_TOGETHER_BYTES = 256 * 1024
"""So much of small fragments goes through the wide stage together."""
_SMALL_BYTES = 64 * 1024
_MANY_ITEMS = 500
"""From so many items on each process would compile most patterns by itself."""


class ScanFailed(RuntimeError):
    """The scan could not be done. The text says why."""


@runtime_checkable
class Counted(Protocol):
    """A source that knows how many items it has: more processes than that have nothing to do."""

    @property
    def item_count(self) -> int:
        """How many items a share is taken of, at most."""
        ...


class Listener(Protocol):
    """Hears what a scan finds, in the process that asked for it."""

    def hit(self, hit: Hit) -> None:
        """A secret was found at a place. One place may be told more than once."""
        ...

    def problem(self, problem: Problem) -> None:
        """Something could not be scanned."""
        ...

    def progress(self, fragments: int, size: int) -> None:
        """So many more fragments and bytes were scanned."""
        ...


@dataclass(frozen=True, slots=True)
class Scan:
    """How to scan: the examiner, how fragments are opened, the list to which both append problems, and by how many processes."""

    examiner: Examiner
    expand: Expand
    problems: list[Problem]
    jobs: int = 1
    fresh: FreshLines = field(default_factory=FreshLines)

    def run(self, source: Source, listener: Listener) -> None:
        """Scan all of `source`. Raises ScanFailed."""
        # What was met while the source was made is told once, not by each of the workers.
        _deliver(([], self._drain(), 0, 0), listener)
        items = source.item_count if isinstance(source, Counted) else _MANY_ITEMS
        jobs = min(self.jobs, items)
        if jobs <= 1:
            self._work(source, Whole(), lambda message: _deliver(message, listener), _untold)
            return
        self.examiner.prepare(for_many=items >= _MANY_ITEMS)
        from strongroom.scanner.crew import WorkerLost, run_workers
        from strongroom.scanner.share import CountedShare
        from strongroom.scanner.whereabouts import Whereabouts

        with closing(CountedShare(jobs)) as share, closing(Whereabouts(jobs)) as whereabouts:
            try:
                run_workers(
                    jobs,
                    lambda number, send: self._work_forked(source, share, send, partial(whereabouts.tell, number)),
                    lambda message: _deliver(message, listener),
                )
            except WorkerLost as lost:
                raise ScanFailed(_how_it_was_lost(lost.by, whereabouts.last_told(lost.number))) from None

    def _work_forked(self, source: Source, share: Share, send: Send, tell: Tell) -> None:
        self.examiner.forked()
        self._work(source, share, send, tell)

    def _work(self, source: Source, share: Share, send: Send, tell: Tell) -> None:
        fragments, size = 0, 0
        hits: list[list[Any]] = []
        for group in _groups(source.fragments(share)):
            tell(group[0].path)
            self._look_ahead(group)
            for fragment in group:
                tell(fragment.path)
                self._examine(fragment, hits)
                fragments += 1
                size += len(fragment.data)
                if hits or fragments >= _REPORT_FRAGMENTS or size >= _REPORT_BYTES:
                    send((hits, self._drain(), fragments, size))
                    hits, fragments, size = [], 0, 0
        hits.extend(_packed(hit) for hit in self.fresh.among(self.examiner.finish()))
        send((hits, self._drain(), fragments, size))

    def _look_ahead(self, group: Sequence[Fragment]) -> None:
        # What is packed is not scanned as it is; and where the stage fails, each fragment tells so by itself.
        small = [fragment.data for fragment in group if not is_binary(fragment.data)]
        if len(small) > 1:
            with suppress(Exception):
                self.examiner.look_ahead(small)

    def _examine(self, fragment: Fragment, hits: list[list[Any]]) -> None:
        try:
            if fragment.fresh is not None:
                self.fresh.add(fragment)
            for piece in self.expand(fragment):
                hits.extend(_packed(hit) for hit in self.fresh.among(self.examiner.examine(piece)))
        except Exception as error:  # noqa: BLE001 -- one file that breaks us must not hide the others; it is told
            self.problems.append(Problem(fragment.path, f"the scanner failed on it ({type(error).__name__})"))

    def _drain(self) -> list[tuple[str, str, bool]]:
        drained = [(problem.path, problem.what, problem.is_note) for problem in self.problems]
        self.problems.clear()
        return drained


def _groups(fragments: Iterator[Fragment]) -> Iterator[list[Fragment]]:
    """All fragments in their order: small ones that follow each other together, large ones alone."""
    group: list[Fragment] = []
    size = 0
    for fragment in fragments:
        is_large = len(fragment.data) > _SMALL_BYTES
        if group and (is_large or size >= _TOGETHER_BYTES):
            yield group
            group, size = [], 0
        if is_large:
            yield [fragment]
        else:
            group.append(fragment)
            size += len(fragment.data)
    if group:
        yield group


_BYTES = tuple(Hit._fields.index(name) for name in ("value", "text", "partner", "match"))


def _packed(hit: Hit) -> list[Any]:
    """A hit as JSON can hold it: its bytes as the texts with the same numbers."""
    values: list[Any] = list(hit)
    for index in _BYTES:
        values[index] = values[index].decode("latin-1")
    return values


def _unpacked(values: list[Any]) -> Hit:
    unpacked = list(values)
    for index in _BYTES:
        unpacked[index] = values[index].encode("latin-1")
    hit = Hit(*unpacked)
    return hit._replace(layers=tuple(hit.layers), reasons=tuple(hit.reasons))


def _untold(_path: str) -> None:
    """A scan in one process dies with whoever would ask."""


def _how_it_was_lost(by: int, path: str) -> str:
    """That a process was lost, in words: which file it had in hand, and what to do."""
    how = "was killed, perhaps for want of memory" if by == signal.SIGKILL else f"died of signal {by}" if by else "died"
    where = f"; it was at {path}" if path else " before it read anything"
    # Names were written by strangers: none of them is to steer a terminal.
    where = "".join(character if character.isprintable() else "?" for character in where)
    return (
        f"a process of the scan {how}{where}. The scan was ended, so that file and others were not scanned."
        " Fewer processes (-jobs=1) take less memory, -exclude leaves a file out"
    )


def _deliver(message: Any, listener: Listener) -> None:
    hits, problems, fragments, size = message
    for hit in hits:
        listener.hit(_unpacked(hit))
    for problem in problems:
        listener.problem(Problem(*problem))
    listener.progress(fragments, size)
