"""Which hits count, where only some lines of a file do."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter

from strongroom.scanner.examine import Hit
from strongroom.scanner.fragment import Fragment, Span


class FreshLines:
    """The lines that count, of files of which not all do."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str], list[Span]] = {}

    def add(self, fragment: Fragment) -> None:
        """Of this file only what touches the fresh lines of its fragments counts."""
        self._spans.setdefault((fragment.path, fragment.object_id), []).extend(fragment.fresh or ())

    def among(self, hits: Iterable[Hit]) -> Iterable[Hit]:
        """Those that count. A hit may come later than the fragment that it is in."""
        return filter(self._counts, hits) if self._spans else hits

    def _counts(self, hit: Hit) -> bool:
        spans = self._spans.get((hit.path, hit.object_id))
        if spans is None:
            return True
        # They are in order and apart, so the last one that begins before the hit ends decides.
        at = bisect_right(spans, hit.end_line, key=itemgetter(0))
        return at > 0 and hit.line <= spans[at - 1][1]
