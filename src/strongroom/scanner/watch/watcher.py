"""The rounds of the watch: ask a feed what is new, remember it, read it item by item, tell what was found, remember that.

Nothing is lost, whenever the process ends: what is listed is remembered in one step with the cursor that passes it, and an item is
forgotten only after its findings were told. So an item may be read twice, and none is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from strongroom.scanner.finding import Finding
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.watch.failures import FeedFailed, NotThere, Resting, WatchFailed
from strongroom.scanner.watch.forms import Opened, Part, is_address, open_item
from strongroom.scanner.watch.inspector import Inspector
from strongroom.scanner.watch.item import Feed, Item, Listing
from strongroom.scanner.watch.pace import LONGEST_REST, back_off
from strongroom.scanner.watch.settings import LISTING_BYTES, FeedSettings
from strongroom.scanner.watch.state import Pending, Position, State
from strongroom.scanner.watch.visits import Visits

MOST_WAITING = 10_000
"""Items of a feed that wait to be read. With so many it is not asked for more."""
MOST_LISTED = 20_000
"""Items of one listing that are taken in."""
MOST_ATTEMPTS = 5
"""How often an item is tried that cannot be read now."""
_NOT_OURS = LONGEST_REST + 7 * 24 * 3600
"""Nothing is due later than this. If something is, the clock was set back, and it is due now."""

_Result = TypeVar("_Result")
Tell = Callable[[Sequence[Finding]], None]
"""Reports findings, and returns once they are safe. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A feed: its settings, its plug, and how it asks."""

    settings: FeedSettings
    feed: Feed
    visits: Visits


@dataclass(slots=True)
class Tally:
    """What was done so far."""

    findings: int = 0
    fragments: int = 0
    size: int = 0
    allowed: int = 0
    in_baseline: int = 0


@dataclass(slots=True)
class Watcher:
    """Goes from feed to feed. `commits` says that every step is kept at once; without it, the caller commits at the end.

    `problem` hears of what could not be read, `now` is seconds since the epoch, `jitter` draws from 0 to 1, `stop` says whether to end after
    the item in hand.
    """

    state: State
    inspector: Inspector
    tell: Tell
    now: Callable[[], float]
    jitter: Callable[[], float]
    problem: Report
    stop: Callable[[], bool]
    commits: bool = True
    tally: Tally = field(default_factory=Tally)

    def visit(self, watched: Watched, *, ignores_schedule: bool = False) -> None:
        """One round of one feed: ask it if it is time, then read up to as many items as its settings allow. Raises WatchFailed, OSError, ScanFailed."""
        settings = watched.settings
        position = self.state.position(settings.name, settings.identity)
        due = position.earliest if ignores_schedule else max(position.due, position.earliest)
        if self._is_time(due) and self.state.waiting(settings.name) < MOST_WAITING:
            self._ask(watched, position)
            self._commit()
        for _ in range(settings.items):
            waiting = self.state.pending(settings.name, self.now(), 1)
            if not waiting or self.stop():
                return
            self._read(watched, waiting[0])
            self._commit()

    def next_time(self, watched: Sequence[Watched]) -> float:
        """When the next of them has something to do, in seconds since the epoch."""
        times = [self.now() + 3600.0]
        for one in watched:
            name = one.settings.name
            position = self.state.position(name, one.settings.identity)
            if self.state.waiting(name) < MOST_WAITING:
                times.append(max(position.due, position.earliest))
            first = self.state.next_due(name)
            if first is not None:
                times.append(first)
        return min(times)

    def _is_time(self, due: float) -> bool:
        now = self.now()
        return due <= now or due > now + _NOT_OURS

    def _commit(self) -> None:
        if self.commits:
            self.state.commit()

    def _ask(self, watched: Watched, position: Position) -> None:
        settings, now = watched.settings, self.now()
        try:
            listing = _sound(lambda: watched.feed.poll(watched.visits.holding(LISTING_BYTES), position.cursor))
        except Resting as rest:
            self._problem(settings.name, f"not asked now: {rest}", is_note=True)
            self.state.move(settings.name, replace(position, due=rest.until))
            return
        except FeedFailed as failure:
            failures = position.failures + 1
            wait = max(settings.interval, back_off(failures, self.jitter()))
            self._problem(settings.name, f"not asked: {failure}")
            self.state.move(settings.name, replace(position, due=now + wait, failures=failures))
            return
        had_seen = self.state.has_seen(settings.name)
        items = listing.items[:MOST_LISTED]
        new = self.state.add(settings.name, reversed(items))
        wait = max(settings.interval, listing.interval)
        self.state.move(settings.name, Position(listing.cursor, now + wait, now + listing.interval))
        if len(items) < len(listing.items) or _has_gap(listing, new, had_seen=had_seen):
            self._problem(
                settings.name,
                "more came than it lists, so some may have gone unseen: ask more often (interval), or for more (pages)",
                is_note=True,
            )

    def _read(self, watched: Watched, pending: Pending) -> None:
        settings, item = watched.settings, pending.item
        place = item.place if is_address(item.place) else item.address or settings.address
        try:
            opened = _sound(lambda: open_item(replace(item, place=place), watched.visits))
        except Resting as rest:
            self.state.postpone(pending, rest.until, pending.attempts)
            return
        except NotThere as failure:
            self._problem(place, f"not scanned: {failure}", is_note=True)
            opened = Opened()
        except FeedFailed as failure:
            attempts = pending.attempts + 1
            if attempts < MOST_ATTEMPTS:
                self._problem(place, f"not scanned yet: {failure}")
                self.state.postpone(pending, self.now() + back_off(attempts, self.jitter()), attempts)
                return
            self._problem(place, f"not scanned, after {attempts} attempts: {failure}")
            opened = Opened()
        for problem in opened.problems:
            self._problem(place, problem)
        self._inspect(settings, item, opened.parts)
        if opened.items:
            self.state.add(settings.name, opened.items)
        self.state.done(pending)

    def _inspect(self, settings: FeedSettings, item: Item, parts: Sequence[Part]) -> None:
        if not parts:
            return
        inspected = self.inspector.inspect(settings, item, parts)
        for problem in inspected.problems:
            self._problem(problem.path, problem.what, is_note=problem.is_note)
        tally = self.tally
        tally.fragments += inspected.fragments
        tally.size += inspected.size
        tally.allowed += inspected.allowed
        tally.in_baseline += inspected.in_baseline
        news = [finding for finding in inspected.findings if self._is_new(finding)]
        if not news:
            return
        tally.findings += len(news)
        # First told, then remembered: killed in between, it is told twice rather than never.
        self.tell(news)
        for finding in news:
            for occurrence in finding.occurrences:
                self.state.tell(finding.fingerprint, occurrence.path)

    def _is_new(self, finding: Finding) -> bool:
        """Whether any place of it was not told; those that were are taken away."""
        finding.occurrences = [
            one for one in finding.occurrences if not self.state.is_told(finding.fingerprint, one.path)
        ]
        return bool(finding.occurrences)

    def _problem(self, path: str, what: str, *, is_note: bool = False) -> None:
        self.problem(Problem(path, what, is_note))


def _sound(act: Callable[[], _Result]) -> _Result:
    """What `act` gives. An answer that breaks us fails as an answer: else it would end the watch, and again after each restart."""
    try:
        return act()
    except (FeedFailed, WatchFailed):
        raise
    except Exception as error:  # noqa: BLE001 -- as above; it is told
        raise FeedFailed(f"the watch failed on it ({type(error).__name__})") from None


def _has_gap(listing: Listing, new: int, *, had_seen: bool) -> bool:
    """Whether something may have been missed: the feed says so, or nothing that it lists was ever seen before."""
    return listing.has_gap or (listing.overlaps and had_seen and 0 < new == len(listing.items))
