"""RE2 over bytes, typed: the one place that imports it. Linear in its input whatever the pattern, so patterns of users are safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

_MEMORY = 32 * 1024 * 1024
"""Bytes that one compiled pattern may take."""


class BadPattern(ValueError):
    """A pattern that RE2 does not take: look-around, back-references, wrong syntax."""


class Match(Protocol):
    """Where a pattern matched."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Start and end of a group; (-1, -1) where it took no part."""
        ...

    def start(self, group: int = 0) -> int:
        """The group's start."""
        ...

    def end(self, group: int = 0) -> int:
        """The group's end."""
        ...


class Regex(Protocol):
    """A compiled pattern. Anchors and word borders see the text outside of `pos` and `endpos` as what stands beside the match."""

    @property
    def groupindex(self) -> Mapping[bytes, int]:
        """The numbers of the named groups."""
        ...

    def search(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None:
        """The first match, or None."""
        ...

    def match(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None:
        """The match at `pos`, or None."""
        ...

    def fullmatch(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None:
        """The match of everything, or None."""
        ...

    def finditer(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Iterator[Match]:
        """All matches that do not overlap, in order."""
        ...


Spans = Sequence[tuple[int, int]]
"""Where a match and its groups stand, by their numbers; (-1, -1) for a group that took no part."""


Search = Callable[[bytes, int, int], Spans | None]


def searcher(regex: Regex) -> Search:
    """`search` of a compiled pattern for the innermost loop: it returns bare spans, without an object for each match."""
    return _bare(regex, regex.search, "UNANCHORED")


def matcher(regex: Regex) -> Search:
    """The same for `match`: a match at the first byte, or none."""
    return _bare(regex, regex.match, "ANCHOR_START")


def _bare(regex: Regex, public: Callable[[bytes, int, int], Match | None], anchoring: str) -> Search:
    inner = getattr(regex, "_regexp", None)
    if inner is None:
        return lambda text, pos, endpos: _spans(public(text, pos, endpos), regex)
    import re2  # type: ignore[import-untyped]  # it has no types

    # What the package's own methods call, which spend more time around it than in it.
    match, anchor = inner.Match, getattr(re2._re2.RE2.Anchor, anchoring)  # noqa: SLF001 -- pinned, and with the public way beside it

    def search(text: bytes, pos: int, endpos: int) -> Spans | None:
        spans: Spans = match(anchor, text, pos, endpos)
        return spans if spans[0][0] >= 0 else None

    return search


def _spans(match: Match | None, regex: Regex) -> Spans | None:
    if match is None:
        return None
    return [match.span(number) for number in range(1 + max(regex.groupindex.values(), default=0))]


def compile_regex(pattern: str | bytes) -> Regex:
    """The pattern, compiled over bytes (a text is taken as UTF-8). Raises BadPattern, which does not repeat the pattern."""
    import re2

    try:
        compiled: Regex = re2.compile(pattern.encode() if isinstance(pattern, str) else pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        raise BadPattern(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
    return compiled


def _options() -> object:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    options.log_errors = False
    return options
