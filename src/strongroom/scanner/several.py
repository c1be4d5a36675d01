"""Several sources as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strongroom.scanner.fragment import Fragment, Share, Source


class Several:
    """The fragments of several sources, one source after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """Each fragment of each source that falls to `share`."""
        for source in self._sources:
            yield from source.fragments(share)
