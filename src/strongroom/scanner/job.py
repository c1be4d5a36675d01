"""One scan as a person or a machine orders it: what to look for, what is known already, what to tell; from a source to a report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from strongroom.scanner.assembly import Wanted, assemble
from strongroom.scanner.baseline import LARGEST, Entry, read_baseline
from strongroom.scanner.clean_objects import CleanObjects, Incremental
from strongroom.scanner.examine import Hit
from strongroom.scanner.finding import Finding
from strongroom.scanner.findings import Collector, Place
from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.fragment import Source
from strongroom.scanner.problem import Problem
from strongroom.scanner.reports.report import Report
from strongroom.scanner.seen import Ignores, Seen
from strongroom.scanner.unplaced import placed, unplaced

Progress = Callable[[int, int], None]
"""Told how many fragments and how many bytes were scanned so far."""
Verify = Callable[[Sequence[Finding]], None]
"""Asks providers whether secrets live, and writes the answers into the findings."""


def _nothing(_path: str) -> bool:
    return False


@runtime_checkable
class Attributing(Protocol):
    """A source that knows the history of its objects."""

    def attribute(self, object_ids: Sequence[str]) -> Mapping[str, Sequence[Place]]:
        """Where each of the objects stands in the history, by its whole id. The first 12 digits of one are enough to ask for it."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """What is ordered. `now` is the time in UTC: of the report, and the one by which allowances end."""

    wanted: Wanted
    now: Callable[[], dt.datetime]
    fingerprinter: Fingerprinter = field(default_factory=Fingerprinter)
    known: Mapping[str, Entry] = field(default_factory=dict)
    ignores: Sequence[Ignores] = ()
    version: str = ""
    verify: Verify | None = None
    leaves_out: Callable[[str], bool] = _nothing
    """Which paths are not to be scanned, for sources that know a path only after the scan."""

    def run(self, source: Source, problems: list[Problem], note: Callable[[str], None], progress: Progress) -> Report:
        """Scan `source`, which appends to `problems`. Raises ScanFailed."""
        started = self.now()
        scan = assemble(self.wanted, problems, note)
        collector = Collector(
            scan.examiner.rules, self.fingerprinter, started.date(), frozenset(self.known), self._is_ignored
        )
        heard = _Heard(collector, progress)
        known = self._known_objects(source, heard)
        scan.run(source, heard)
        if known is not None and isinstance(source, Incremental):
            known.add(source.object_ids(), heard.object_ids, heard.problems)
        if isinstance(source, Attributing):
            self._attribute(source, collector, heard)
        findings = collector.findings()
        if self.verify is not None:
            self.verify(findings)
        return Report(
            findings,
            heard.problems,
            self.version,
            _iso(started),
            _iso(self.now()),
            heard.fragments,
            heard.size,
            collector.allowed,
            len(collector.in_baseline),
        )

    def _attribute(self, source: Attributing, collector: Collector, heard: _Heard) -> None:
        """Say where findings and problems of git objects stand. What cannot be read where nothing is to be scanned is no failure."""
        found = collector.object_ids()
        beginnings = unplaced(heard.problems) - {name[:12] for name in found}
        if found or beginnings:
            places = source.attribute([*found, *sorted(beginnings)])
            collector.attribute(places)
            heard.problems = placed(heard.problems, places, self.leaves_out)

    def _known_objects(self, source: Source, heard: _Heard) -> CleanObjects | None:
        """What an earlier scan found clean, which `source` leaves out; None where nothing is kept."""
        # Which values are known changes from day to day: what held none of them yesterday may hold one now.
        if self.wanted.cache is None or self.wanted.known is not None or not isinstance(source, Incremental):
            return None
        known = CleanObjects(self.wanted.cache, self.wanted, source.scope)
        if count := source.leave_out(known):
            what = f"{count} objects were found clean by an earlier scan, and not read again"
            heard.problem(Problem(".", what, is_note=True))
        return known

    def _is_ignored(self, seen: Seen) -> bool:
        return any(ignores(seen) for ignores in self.ignores)


@dataclass(slots=True)
class _Heard:
    """Hears a scan."""

    collector: Collector
    tell: Progress
    problems: list[Problem] = field(default_factory=list)
    fragments: int = 0
    size: int = 0
    object_ids: set[str] = field(default_factory=set)

    def hit(self, hit: Hit) -> None:
        if hit.object_id:
            self.object_ids.add(hit.object_id)
        self.collector.add(hit)

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def progress(self, fragments: int, size: int) -> None:
        self.fragments += fragments
        self.size += size
        self.tell(self.fragments, self.size)


def known_from(path: Path | None, fingerprinter: Fingerprinter) -> dict[str, Entry]:
    """What the baseline at `path`, or the report of gitleaks there, knows; nothing without one. Raises BadBaseline and OSError."""
    if path is None:
        return {}
    from strongroom.scanner.gitleaks.accepted import report_fingerprints

    if path.stat().st_size <= LARGEST:
        known = report_fingerprints(path.read_bytes(), fingerprinter.fingerprint)
        if known is not None:
            return {fingerprint: Entry(fingerprint) for fingerprint in known}
    return read_baseline(path, fingerprinter.scheme)


def _iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
