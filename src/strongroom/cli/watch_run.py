"""Puts a watch together from its flags and its configuration, and runs it: for one round, or until it is told to stop."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom import __version__
from strongroom.cli.errors import CommandFailed
from strongroom.cli.prompts import agreed
from strongroom.cli.scan_options import FAILED, FORMATS
from strongroom.cli.scan_run import failing, verification, write_report
from strongroom.cli.session import Session
from strongroom.logical.ambient import SystemClock, SystemEntropy

if TYPE_CHECKING:
    from types import FrameType

    from strongroom.scanner.finding import Finding
    from strongroom.scanner.fingerprint import Fingerprinter
    from strongroom.scanner.levels import Level
    from strongroom.scanner.problem import Problem
    from strongroom.scanner.seen import Seen
    from strongroom.scanner.watch.ask import Caller
    from strongroom.scanner.watch.inspector import Inspector
    from strongroom.scanner.watch.settings import FeedSettings, WatchSettings
    from strongroom.scanner.watch.state import State
    from strongroom.scanner.watch.visits import Token
    from strongroom.scanner.watch.watcher import Watched, Watcher

_CONTINUOUS = ("text", "jsonl")
_LONGEST_WAIT = 60.0
"""Seconds between two looks at the clock, which may be set meanwhile."""


def perform_watch(session: Session, flags: dict[str, Any]) -> int:
    """Run `strongroom watch`, and return its exit code."""
    _check(flags)
    if flags["reveal"] and not flags["yes"] and not agreed(session, "Secrets will be shown in full. Go on?"):
        raise CommandFailed("Nothing was watched. Without -reveal secrets are masked.", FAILED)
    with failing():
        from strongroom.scanner.watch.config import read_watch_config
        from strongroom.scanner.watch.failures import WatchFailed

        try:
            settings = read_watch_config(Path(flags["config"]))
            return _show(session, settings) if flags["check"] else _watch(session, flags, settings)
        except WatchFailed as failure:
            raise CommandFailed(f"Cannot watch: {failure}", FAILED) from None


def _check(flags: dict[str, Any]) -> None:
    if not flags["config"]:
        raise CommandFailed("-config names the configuration: see docs/how-to/watch-public-places.md", FAILED)
    if flags["format"] and flags["format"] not in FORMATS:
        raise CommandFailed(f"-format is one of {', '.join(FORMATS)}", FAILED)
    if not flags["once"] and flags["format"] and flags["format"] not in _CONTINUOUS:
        raise CommandFailed(f"-format={flags['format']} is a report of one round: it needs -once", FAILED)
    if not flags["once"] and flags["output"] and flags["format"] == "text":
        raise CommandFailed("-output takes JSON lines: leave -format out", FAILED)
    if flags["reveal"] and flags["redact"]:
        raise CommandFailed("-reveal and -redact contradict each other", FAILED)
    if not 0 <= flags["exit_code"] <= 125:
        raise CommandFailed("-exit-code is a number from 0 to 125", FAILED)
    flags["format"] = flags["format"] or ("jsonl" if flags["output"] else "text")


def _show(session: Session, settings: WatchSettings) -> int:
    for feed in settings.feeds:
        words = f", for {', '.join(feed.keywords)}" if feed.keywords else ""
        what = "".join(f" {key}={value}" for key, value in feed.what.items())
        token = f", token from {feed.token}" if feed.token else ""
        session.say(f"{feed.name}: {feed.kind} {feed.address}{what}, every {feed.interval:.0f}s{words}{token}")
    return 0


def _watch(session: Session, flags: dict[str, Any], settings: WatchSettings) -> int:
    import ssl

    from strongroom.scanner.fingerprint import fingerprinter_of
    from strongroom.scanner.watch.ask import Caller
    from strongroom.scanner.watch.state import open_state

    config = Path(flags["config"])
    watched_tokens = [_token(feed) for feed in settings.feeds]
    state = open_state(Path(flags["state"]) if flags["state"] else settings.state or config.with_suffix(".state"))
    try:
        caller = Caller(context=ssl.create_default_context())  # once: it reads all authorities that the system trusts
        watched = [
            _watched(feed, token, state, caller) for feed, token in zip(settings.feeds, watched_tokens, strict=True)
        ]
        run = _Run(session, flags, state, watched, fingerprinter_of(flags["fingerprint_key_file"]))
        inspector = _inspector(session, flags, settings, run.fingerprinter)
        return run.once(inspector) if flags["once"] else run.until_stopped(inspector)
    finally:
        state.close()


@dataclass(slots=True)
class _Run:
    """One run of the command."""

    session: Session
    flags: dict[str, Any]
    state: State
    watched: Sequence[Watched]
    fingerprinter: Fingerprinter
    _stop: threading.Event = field(default_factory=threading.Event)
    _found: dict[str, Finding] = field(default_factory=dict)
    _problems: list[Problem] = field(default_factory=list)

    def once(self, inspector: Inspector) -> int:
        """One round. The report is written first, and the state kept after it: a round that is cut off is done again."""
        from strongroom.scanner.findings import in_order
        from strongroom.scanner.reports.report import Report

        self._recover()
        self._listen()
        started = _iso()
        watcher = self._watcher(inspector, self._collect, self._problems.append, commits=False)
        for one in self.watched:
            if not self._stop.is_set():
                watcher.visit(one, ignores_schedule=True)
        tally = watcher.tally
        report = Report(
            in_order(self._found.values()),
            self._problems,
            __version__,
            started,
            _iso(),
            tally.fragments,
            tally.size,
            tally.allowed,
            tally.in_baseline,
            reveal=self.flags["reveal"],
            redact=self.flags["redact"],
        )
        for problem in self._problems:
            self._note(problem)
        for one in self.watched:
            if waiting := self.state.waiting(one.settings.name):
                self.session.note(f"{one.settings.name}: {waiting} items are left for the next round")
        if self.flags["output"] and self.flags["format"] == "jsonl":
            self._append(report.findings)
        else:
            write_report(self.session, self.flags, report)
            sys.stdout.flush()
        self.state.commit()
        if report.failures:
            return FAILED
        return int(self.flags["exit_code"]) if report.findings else 0

    def until_stopped(self, inspector: Inspector) -> int:
        """Round after round, until a signal ends it."""
        self._recover()
        self._listen()
        tell = self._append if self.flags["output"] else self._print
        watcher = self._watcher(inspector, tell, self._note, commits=True)
        self.session.note(f"Watching {len(self.watched)} feeds. End with SIGINT or SIGTERM.")
        while not self._stop.is_set():
            for one in self.watched:
                if self._stop.is_set():
                    break
                watcher.visit(one)
            self._stop.wait(min(max(watcher.next_time(self.watched) - _now(), 0.0), _LONGEST_WAIT))
        self.state.commit()
        return 0

    def _watcher(
        self,
        inspector: Inspector,
        tell: Callable[[Sequence[Finding]], None],
        problem: Callable[[Problem], None],
        *,
        commits: bool,
    ) -> Watcher:
        from strongroom.scanner.watch.watcher import Watcher

        verify = verification(self.flags)

        def verified(findings: Sequence[Finding]) -> None:
            if verify is not None:
                verify(findings)
            tell(findings)

        return Watcher(self.state, inspector, verified, _now, _jitter, problem, self._stop.is_set, commits)

    def _listen(self) -> None:
        def end(number: int, _frame: FrameType | None) -> None:
            self._stop.set()
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)

    def _recover(self) -> None:
        """What stands in the output was told, even if the state was not written any more."""
        if not self.flags["output"] or self.flags["format"] != "jsonl":
            return
        from strongroom.scanner.watch.journal import Journal

        for fingerprint, place in Journal(Path(self.flags["output"])).recover():
            self.state.tell(fingerprint, place)
        self.state.commit()

    def _collect(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            known = self._found.setdefault(finding.fingerprint, finding)
            if known is not finding:
                known.occurrences += finding.occurrences

    def _append(self, findings: Sequence[Finding]) -> None:
        from strongroom.scanner.reports.rows import json_lines
        from strongroom.scanner.watch.journal import Journal

        if findings:
            Journal(Path(self.flags["output"])).append(list(json_lines(self._report(findings))))

    def _print(self, findings: Sequence[Finding]) -> None:
        from strongroom.scanner.reports.rows import json_lines
        from strongroom.scanner.reports.text import paragraphs

        report = self._report(findings)
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        lines = json_lines(report) if self.flags["format"] == "jsonl" else paragraphs(report, colour=colour)
        self.session.say("".join(lines), end="")
        sys.stdout.flush()

    def _report(self, findings: Sequence[Finding]) -> Any:
        from strongroom.scanner.reports.report import Report

        return Report(findings, reveal=self.flags["reveal"], redact=self.flags["redact"])

    def _note(self, problem: Problem) -> None:
        from strongroom.scanner.reports.masking import logged

        self.session.note(f"{logged(problem.path)}: {logged(problem.what)}")


def _inspector(
    session: Session, flags: dict[str, Any], settings: WatchSettings, fingerprinter: Fingerprinter
) -> Inspector:
    from strongroom.cli.scan_known import known_values
    from strongroom.cli.scan_run import rules_of_config
    from strongroom.scanner.assembly import Wanted, builtin_wanted
    from strongroom.scanner.automaton_cache import default_folder
    from strongroom.scanner.job import known_from
    from strongroom.scanner.known.rule import KNOWN_VALUE
    from strongroom.scanner.layers import MAX_DEPTH
    from strongroom.scanner.watch.inspector import Inspector
    from strongroom.scanner.watch.known import WatchedOver

    config, rules = rules_of_config(settings.scan_config)
    ours = known_values(session, flags)
    watched_over = None if ours is None else WatchedOver(ours)
    cache = None if flags["no_cache"] else default_folder(os.environ)

    def wanted(level: Level) -> Wanted:
        made = builtin_wanted([] if flags["known_only"] else rules, level, MAX_DEPTH, 1, cache)
        return replace(made, known=watched_over)

    def is_ignored(seen: Seen) -> bool:
        return any(ignores(seen) for ignores in config.ignores)

    known = known_from(Path(flags["baseline"]) if flags["baseline"] else None, fingerprinter)
    inspector = Inspector(
        wanted, _utc, session.note, fingerprinter, frozenset(known), is_ignored, reveals=flags["reveal"]
    )
    if watched_over is None:
        return inspector
    return replace(inspector, always=frozenset({KNOWN_VALUE.id}), blind=lambda: watched_over.failure)


def _watched(feed: FeedSettings, token: Token | None, state: State, caller: Caller) -> Watched:
    from strongroom.scanner.watch.hosts import Guard
    from strongroom.scanner.watch.kinds import KINDS
    from strongroom.scanner.watch.visits import Visits
    from strongroom.scanner.watch.watcher import Watched

    kind = KINDS[feed.kind]
    visits = Visits(Guard(feed.own), state, _now, feed.item_bytes, token, kind.headers, caller, str(feed.token or ""))
    return Watched(feed, kind.feed(feed.address, feed.pages, feed.what), visits)


def _token(feed: FeedSettings) -> Token | None:
    """How `feed` shows its token. Raises WatchFailed if there is none where it should be."""
    from strongroom.scanner.watch.failures import FeedFailed, WatchFailed
    from strongroom.scanner.watch.kinds import KINDS
    from strongroom.scanner.watch.visits import Token

    place = feed.token
    if place is None:
        return None

    def read() -> str:
        try:
            found = os.environ.get(place.variable, "") if place.file is None else place.file.read_text()
        except (OSError, ValueError):
            found = ""
        token = found.strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise FeedFailed(f"there is no token in {place}")
        return token

    try:
        read()
    except FeedFailed as failure:
        raise WatchFailed(f"feed {feed.name}: {failure}") from None
    return Token(KINDS[feed.kind].header, KINDS[feed.kind].prefix, read)


def _now() -> float:
    return SystemClock().now_ns() / 1e9


def _utc() -> dt.datetime:
    return dt.datetime.fromtimestamp(_now(), dt.UTC)


def _iso() -> str:
    return _utc().strftime("%Y-%m-%dT%H:%M:%S")


def _jitter() -> float:
    return int.from_bytes(SystemEntropy().bytes(4), "little") / 2**32
