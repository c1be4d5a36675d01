"""A watch under the hand of a test: a clock that jumps, no randomness, what it told in a list; closed and opened again at will."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from strongroom.scanner.assembly import Wanted
from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.finding import Finding
from strongroom.scanner.known.values import KnownValues
from strongroom.scanner.levels import Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.rule import Rule
from strongroom.scanner.watch.ask import Caller
from strongroom.scanner.watch.config import parse_watch_config
from strongroom.scanner.watch.hosts import Guard
from strongroom.scanner.watch.inspector import Inspector
from strongroom.scanner.watch.kinds import KINDS
from strongroom.scanner.watch.known import WatchedOver
from strongroom.scanner.watch.state import State, open_state
from strongroom.scanner.watch.visits import Token, Visits
from strongroom.scanner.watch.watcher import Watched, Watcher

SECRET = "ttt_0123456789abcdefghijABCD"
OTHER = "ttt_zyxwvutsrqponmlkjihg9876"
RULE = Rule("test-token", "Test token", r"\bttt_(?P<secret>[A-Za-z0-9]{20,40})\b", keywords=("ttt_",))
START = 1_800_000_000.0


class Watching:
    """One feed or several, from a configuration, and a watcher of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = START
        self.told: list[Finding] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.is_stopped = False
        self.caller = Caller(timeout=2, deadline=5)
        self.token = "token-of-the-feed"
        self.state: State = open_state(path)
        self.watched: list[Watched] = []
        self.watcher = self._watcher()

    def configure(self, text: str) -> None:
        """Watch what the configuration `text` says. Feeds with a token show `self.token`."""
        settings = parse_watch_config(text, "watch.toml", self.path.parent)
        self.watched = []
        for feed in settings.feeds:
            kind = KINDS[feed.kind]
            token = Token(kind.header, kind.prefix, lambda: self.token) if feed.token else None
            visits = Visits(
                Guard(feed.own), self.state, lambda: self.now, feed.item_bytes, token, kind.headers, self.caller
            )
            self.watched.append(Watched(feed, kind.feed(feed.address, feed.pages, feed.what), visits))

    def round(self, seconds: float = 0.0) -> list[Finding]:
        """Let `seconds` pass, visit every feed once, and return what was told meanwhile."""
        self.now += seconds
        before = len(self.told)
        for one in self.watched:
            self.watcher.visit(one)
        return self.told[before:]

    def restart(self, text: str) -> None:
        """As after a kill: what was not committed is gone, all else is read from the file."""
        self.state.close()
        self.state = open_state(self.path)
        self.watcher = self._watcher()
        self.configure(text)

    def know(self, known: KnownValues) -> None:
        """From now on, what `known` says is ours is raised as well."""
        over = WatchedOver(known)
        inspector = self.watcher.inspector
        self.watcher.inspector = replace(
            inspector,
            wanted=lambda level: replace(wanted(level), known=over),
            always=frozenset({"known-value"}),
            blind=lambda: over.failure,
        )

    def close(self) -> None:
        self.state.close()

    def tell(self, findings: Sequence[Finding]) -> None:
        self.told += findings

    def _watcher(self) -> Watcher:
        return Watcher(
            self.state,
            Inspector(wanted, lambda: dt.datetime.fromtimestamp(self.now, dt.UTC), self.notes.append),
            self.tell,
            lambda: self.now,
            lambda: 1.0,
            self.problems.append,
            lambda: self.is_stopped,
        )


def wanted(level: Level) -> Wanted:
    """A scan for the test's own tokens, with containers."""
    limits = Limits()
    return Wanted((RULE,), opens=lambda fragment, report: expand(fragment, limits, report), level=level)


def places(findings: Sequence[Finding]) -> list[str]:
    """Where the findings are."""
    return [one.path for finding in findings for one in finding.occurrences]


def feed(kind: str, address: str, *lines: str, name: str = "one") -> str:
    """A configuration of one feed."""
    head = ["[[feed]]", f'name = "{name}"', f'kind = "{kind}"', f'address = "{address}"']
    return "\n".join([*head, *lines]) + "\n"
