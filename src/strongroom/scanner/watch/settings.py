"""What a configuration of the watch says, once it is known to make sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.scanner.levels import Level
from strongroom.scanner.watch.hosts import Origin

PAGES = 3
ITEMS = 200
ITEM_BYTES = 10_000_000
LISTING_BYTES = 8 << 20
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a token is found: in an environment variable, or in a file. Never in the configuration."""

    variable: str = ""
    file: Path | None = None

    def __str__(self) -> str:
        return f"env:{self.variable}" if self.variable else f"file:{self.file}"


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """One feed. `what` is told to its plug; with `keywords`, only what mentions one of them is scanned."""

    name: str
    kind: str
    address: str
    what: Mapping[str, str | bool]
    own: frozenset[Origin]
    interval: float
    token: TokenPlace | None = None
    keywords: tuple[str, ...] = ()
    level: Level = Level.DEFAULT
    pages: int = PAGES
    items: int = ITEMS
    item_bytes: int = ITEM_BYTES

    @property
    def identity(self) -> str:
        """What makes it another feed, even under the same name."""
        told = " ".join(f"{key}={value}" for key, value in sorted(self.what.items()))
        return f"{self.kind} {self.address} {told}"


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """The whole configuration. `state` is where the watch remembers; `scan_config` a configuration of the scanner, with rules of one's own."""

    feeds: tuple[FeedSettings, ...]
    state: Path | None = None
    scan_config: Path | None = None
