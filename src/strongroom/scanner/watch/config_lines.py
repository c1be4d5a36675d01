"""On which line of a TOML file a setting stands, for errors: the parser of the standard library does not say."""

from __future__ import annotations

import re

_FEED = re.compile(r"\s*\[\[\s*feed\s*\]\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*(?:"(?P<quoted>[^"]*)"|'(?P<literal>[^']*)'|(?P<bare>[A-Za-z0-9_-]+))\s*[.=].*""")


class Lines:
    """The lines of a configuration."""

    def __init__(self, text: str) -> None:
        self._heads: list[int] = []
        self._keys: dict[tuple[int, str], int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if _FEED.fullmatch(line):
                self._heads.append(number)
            elif key := _KEY.fullmatch(line):
                name = key["quoted"] or key["literal"] or key["bare"] or ""
                self._keys.setdefault((len(self._heads) - 1, name), number)

    def of(self, key: str, feed: int | None) -> int:
        """The line of `key` in a feed, by its number from 0, or in front of all feeds; where it is not there, that of its table."""
        at = -1 if feed is None else feed
        head = self._heads[at] if 0 <= at < len(self._heads) else 1
        return self._keys.get((at, key), head)
