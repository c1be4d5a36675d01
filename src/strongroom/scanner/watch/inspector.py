"""Scans what an item holds, with the engine that scans files, and says of each finding where and by whom it was made public."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from strongroom.scanner.assembly import Wanted, assemble
from strongroom.scanner.examine import Hit
from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.findings import Collector
from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.fragment import Fragment, Share, Whole
from strongroom.scanner.hidden_names import HiddenNames
from strongroom.scanner.levels import Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.scan import Scan
from strongroom.scanner.seen import Ignores
from strongroom.scanner.watch.failures import WatchFailed
from strongroom.scanner.watch.forms import Part
from strongroom.scanner.watch.item import Item
from strongroom.scanner.watch.settings import FeedSettings


@dataclass(slots=True)
class Inspected:
    """What was found in one item, what of it could not be scanned, and how much there was."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    fragments: int = 0
    size: int = 0
    allowed: int = 0
    in_baseline: int = 0


@dataclass(slots=True)
class Inspector:
    """Inspects items one after the other. `wanted` says how is scanned at a level, and is asked once for each.

    `known` are fingerprints that are not reported. Rules in `always` are ours by what they find: what they find is raised even
    where nothing else mentions us. `blind` says why those who know what is ours cannot be asked any more, if so. Unless it `reveals` secrets, they are hidden in
    names and addresses, too.
    """

    wanted: Callable[[Level], Wanted]
    now: Callable[[], dt.datetime]
    note: Callable[[str], None]
    fingerprinter: Fingerprinter = field(default_factory=Fingerprinter)
    known: frozenset[str] = frozenset()
    ignores: Ignores | None = None
    always: frozenset[str] = frozenset()
    blind: Callable[[], str] = str
    reveals: bool = False
    _scans: dict[Level, tuple[Scan, list[Problem]]] = field(default_factory=dict)

    def inspect(self, feed: FeedSettings, item: Item, parts: Sequence[Part]) -> Inspected:
        """What `parts`, which `item` holds, give away. Raises ScanFailed, and WatchFailed if nobody can say any more what is ours."""
        scan, problems = self._scan(feed.level)
        source = _Parts(parts)
        is_ours = not feed.keywords or _mentions(feed, item, source, scan)
        problems.clear()  # those of looking for keywords come again
        if not is_ours and not self.always:
            return Inspected()
        collector = Collector(scan.examiner.rules, self.fingerprinter, self.now().date(), self.known, self.ignores)
        heard = _Heard(collector)
        scan.run(source, heard)
        if reason := self.blind():
            # The item is not done: it is read again once there is somebody to ask.
            raise WatchFailed(f"known values cannot be looked for any more, so it ends here: {reason}")
        found = [one for one in collector.findings() if is_ours or one.rule.id in self.always]
        for finding in found:
            finding.occurrences = [_placed(one, parts, feed, item) for one in finding.occurrences]
        inspected = heard.inspected
        if not self.reveals:
            names = HiddenNames(found)
            names.hide(found)
            inspected.problems = names.told(inspected.problems)
        inspected.findings = found
        inspected.allowed, inspected.in_baseline = collector.allowed, len(collector.in_baseline)
        return inspected

    def _scan(self, level: Level) -> tuple[Scan, list[Problem]]:
        if level not in self._scans:
            problems: list[Problem] = []
            self._scans[level] = (
                assemble(replace(self.wanted(level), level=level, jobs=1), problems, self.note),
                problems,
            )
        return self._scans[level]


class _Parts:
    """The parts of one item as a source of fragments. Each has its number where a fragment of a history has its object."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    def fragments(self, share: Share) -> Iterator[Fragment]:
        for number in share.claim(range(len(self._parts))):
            part = self._parts[number]
            yield Fragment(part.place, part.data, part.line, str(number))


@dataclass(slots=True)
class _Heard:
    """Hears the scan of one item."""

    collector: Collector
    inspected: Inspected = field(default_factory=Inspected)

    def hit(self, hit: Hit) -> None:
        self.collector.add(hit)

    def problem(self, problem: Problem) -> None:
        self.inspected.problems.append(problem)

    def progress(self, fragments: int, size: int) -> None:
        self.inspected.fragments += fragments
        self.inspected.size += size


def _mentions(feed: FeedSettings, item: Item, source: _Parts, scan: Scan) -> bool:
    """Whether the item, what is said about it, or anything that is packed in it has one of the feed's keywords."""
    words = [word.encode() for word in feed.keywords]
    about = f"{item.title}\n{item.author}\n{item.place}\n{item.text}".lower().encode("utf-8", "surrogatepass")
    if any(word in about for word in words):
        return True
    try:
        return any(
            _has(fragment, words) or any(_has(piece, words) for piece in scan.expand(fragment))
            for fragment in source.fragments(Whole())
        )
    except Exception:  # noqa: BLE001 -- what cannot be opened may mention us; the scan itself says that it failed
        return True


def _has(fragment: Fragment, words: Sequence[bytes]) -> bool:
    lowered = fragment.data.lower() + b"\n" + fragment.path.lower().encode("utf-8", "surrogatepass")
    return any(word in lowered for word in words)


def _placed(occurrence: Occurrence, parts: Sequence[Part], feed: FeedSettings, item: Item) -> Occurrence:
    part = parts[int(occurrence.object_id)]
    return replace(
        occurrence,
        object_id="",
        commit=part.commit,
        author=part.author,
        author_date=part.time,
        feed=feed.name,
        address=item.address or item.place,
    )
