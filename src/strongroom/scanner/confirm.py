"""The exact stage: what of the events of the wide stage is a match of its rule, and which bytes of it are the secret.

Each rule is run by RE2 only where its events are, and no search reads further than the rule reaches: the work is at most the rule's reach for each
byte, whatever the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from strongroom.scanner.regex import Spans, compile_regex, searcher
from strongroom.scanner.rule import Rule

SEGMENT = 4 * 1024
"""Bytes in which a search may begin before the next one gets a new end."""

Bucket = tuple[int, int, int]
"""Where events ended: start and end of the bucket, and the first end in it."""


Search = Callable[[bytes, int, int], Spans | None]


class Match(NamedTuple):
    """A match of rule number `rule`: where the secret is, where the whole match is, and what the rule's groups named."""

    rule: int
    start: int
    end: int
    match_start: int
    match_end: int
    name: bytes
    public_id: bytes


class Confirmer:
    """Runs the exact patterns of `rules`, each compiled when it is first needed."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._keywords = [tuple(word.encode() for word in rule.keywords) for rule in rules]
        self._compiled: dict[int, tuple[Search, int, int, int]] = {}
        self.searches = 0
        """How often RE2 was asked."""
        self.searched_bytes = 0
        """How many bytes it was given at most: what tests count instead of time."""

    def matches(self, number: int, data: bytes, lowered: Lowered, buckets: Sequence[Bucket]) -> Iterator[Match]:
        """The matches of rule `number` around its events in `data`."""
        keywords = self._keywords[number]
        if keywords and not any(lowered.holds(word) for word in keywords):
            return
        rule = self._rules[number]
        search, secret, name, public_id = self._compile(number)
        position = 0
        for first, last in _intervals(buckets, rule.reach, len(data)):
            position = max(position, first)
            while position < last:
                limit = min(position + SEGMENT, last)
                stop = min(limit + rule.reach, last)
                self.searches += 1
                self.searched_bytes += stop - position
                spans = search(data, position, stop)
                if spans is None or spans[0][0] >= limit:
                    position = limit
                    continue
                begin, end = spans[0]
                position = end if end > begin else end + 1
                start, stop = spans[secret]
                if start < stop and rule.accepts(data[start:stop]):
                    named = _group(spans[name], data, name)
                    yield Match(number, start, stop, begin, end, named, _group(spans[public_id], data, public_id))

    def _compile(self, number: int) -> tuple[Search, int, int, int]:
        found = self._compiled.get(number)
        if found is None:
            regex = compile_regex(self._rules[number].pattern)
            groups = regex.groupindex
            found = searcher(regex), groups.get(b"secret", 0), groups.get(b"name", 0), groups.get(b"id", 0)
            self._compiled[number] = found
        return found


class Lowered:
    """A run of bytes in lower case, made when it is first asked, with what is known of the words in it."""

    __slots__ = ("_data", "_known", "_lowered")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lowered: bytes | None = None
        self._known: dict[bytes, bool] = {}

    def holds(self, word: bytes) -> bool:
        """Whether the bytes hold `word`, in any case."""
        known = self._known.get(word)
        if known is None:
            if self._lowered is None:
                self._lowered = self._data.lower()
            known = self._known[word] = word in self._lowered
        return known


def _intervals(buckets: Sequence[Bucket], reach: int, size: int) -> Iterator[tuple[int, int]]:
    """The bytes between which matches stand: from the earliest that the first event can begin to the end of the last bucket, overlapping ones joined.

    Every end of a match is an event, so none lies behind the last bucket.
    """
    first, last = 0, -1
    for _, end, first_end in buckets:
        begin = max(0, first_end - reach)
        if begin > last:
            if last >= 0:
                yield first, last
            first = begin
        last = min(end, size)
    if last >= 0:
        yield first, last


def _group(span: tuple[int, int], data: bytes, number: int) -> bytes:
    return data[span[0] : span[1]] if number and span[0] >= 0 else b""
