"""What is scanned: a run of bytes, and the source it came from.

A *source* (a plug in `sources/`) yields fragments as they are stored. What a fragment holds inside (an archive, a document) is
opened by `containers/`, what it hides (base64, percent signs) by `decoding/`; sources know nothing of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

Item = TypeVar("Item")
Span = tuple[int, int]
"""The first and the last line of several."""


class Fragment(NamedTuple):
    """A run of bytes that is scanned as a whole, and where it stands.

    `path` is what a report shows: relative to the root that was scanned, with `!/` before each step into a container
    (`dist/a.zip!/conf/app.ini`); where no path is known, a word for the place (`<stdin>`, `<commit message>`).
    `line` is the number, from 1, of the first line of `data` within that path. `object_id` is the git object that holds the
    bytes, in hex, where there is one: paths and commits of an object are looked up only for those with findings.

    What is too large to be held is cut into windows that overlap (see `windows.py`). Then `column` is that of the first byte, and only what begins
    in `data[own_start:own_end]` is this window's to report; the rest is its neighbours'.

    Of some fragments only what touches the lines `fresh` counts: the others stand there so that these can be understood.
    """

    path: str
    data: bytes
    line: int = 1
    object_id: str = ""
    column: int = 1
    own_start: int = 0
    own_end: int | None = None
    fresh: tuple[Span, ...] | None = None

    def __repr__(self) -> str:
        return f"<Fragment {self.path!r} of {len(self.data)} bytes>"  # what is scanned may be a secret


class Share(Protocol):
    """What one of several workers takes of a source's items."""

    def claim(self, items: Sequence[Item]) -> Iterator[Item]:
        """Those of `items` that no other worker took. Every worker must ask with the same sequence, in the same order."""
        ...


class Whole:
    """The share of a worker that is alone: everything."""

    def claim(self, items: Sequence[Item]) -> Iterator[Item]:
        """All of `items`."""
        return iter(items)


class Source(Protocol):
    """Where fragments come from. It lists its items before the workers start, and reads them in whichever worker claims them."""

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """Each of its fragments that falls to `share`, once. What cannot be read is reported, not skipped in silence."""
        ...
