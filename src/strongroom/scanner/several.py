"""Several sources as one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from strongroom.scanner.fragment import Fragment, Share, Source
from strongroom.scanner.scan import Counted


class Several:
    """The fragments of several sources, one source after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def item_count(self) -> int:
        """How many items they have together; of a source that does not tell, as many as there can be."""
        return sum(source.item_count if isinstance(source, Counted) else sys.maxsize for source in self._sources)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """Each fragment of each source that falls to `share`."""
        for source in self._sources:
            yield from source.fragments(share)
