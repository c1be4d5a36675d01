"""The exact stage: what of the events of the wide stage is a match of its rule, and which bytes of it are the secret.

Each rule is run by RE2 only where its events are, and no search reads further than the rule reaches: the work is at most the rule's reach for each
byte, whatever the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from strongroom.scanner.beginnings import LONGEST, beginnings
from strongroom.scanner.regex import Search, Spans, compile_regex, matcher, searcher
from strongroom.scanner.rule import Rule

SEGMENT = 4 * 1024
"""Bytes in which a search may begin before the next one gets a new end."""

_LINE_BREAK = 2
"""Bytes behind the last event that a match may hold: of a match before a line break at the very end, the wide stage tells the end without it."""

Bucket = tuple[int, int, int]
"""Where events ended: start of the bucket, the last and the first end in it."""


_TRIES = 16
"""How often a match is tried where one of its beginnings stands, before it is searched for: what fails often is to cost no more than a search."""


class _Compiled(NamedTuple):
    """A rule's pattern: how to search for it, how to match it at a place, and the words, in lower case, with one of which it begins.

    `keywords` are those that its text does not ask for by itself.
    """

    search: Search
    match: Search
    words: tuple[bytes, ...]
    keywords: tuple[bytes, ...]
    secret: int
    name: int
    public_id: int


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
        self._compiled: dict[int, _Compiled] = {}
        self.searches = 0
        """How often RE2 was asked."""
        self.searched_bytes = 0
        """How many bytes it was given at most: what tests count instead of time."""

    def prepare(self, numbers: Iterable[int]) -> None:
        """Compile the patterns of these rules now."""
        for number in numbers:
            self._compile(number)

    def matches(self, number: int, data: bytes, lowered: Lowered, buckets: Sequence[Bucket]) -> Iterator[Match]:
        """The matches of rule `number` around its events in `data`."""
        rule = self._rules[number]
        compiled = self._compile(number)
        keywords = compiled.keywords
        if keywords and not any(lowered.holds(word) for word in keywords):
            return
        secret, name, public_id = compiled.secret, compiled.name, compiled.public_id
        position = 0
        for first, last in _intervals(buckets, rule.reach, rule.ahead, len(data)):
            position = max(position, first)
            end_of_all = min(last + _LINE_BREAK, len(data))
            while position < last:
                limit = min(position + SEGMENT, last)
                stop = min(limit + rule.reach, end_of_all)
                for spans in self._found(compiled, data, position, limit, stop):
                    begin, end = spans[0]
                    position = end
                    start, behind = spans[secret]
                    if start < behind and rule.accepts(data[start:behind]):
                        named = _group(spans[name], data, name)
                        yield Match(number, start, behind, begin, end, named, _group(spans[public_id], data, public_id))
                position = max(position, limit)

    def _compile(self, number: int) -> _Compiled:
        found = self._compiled.get(number)
        if found is None:
            rule = self._rules[number]
            regex = compile_regex(rule.pattern)
            groups = regex.groupindex
            begins = beginnings(rule.pattern)
            is_asked_for = begins and all(any(word in begin for word in rule.keywords) for begin in begins)
            found = self._compiled[number] = _Compiled(
                searcher(regex),
                matcher(regex),
                tuple(word.encode() for word in begins),
                () if is_asked_for else tuple(word.encode() for word in rule.keywords),
                groups.get(b"secret", 0),
                groups.get(b"name", 0),
                groups.get(b"id", 0),
            )
        return found

    def _found(self, compiled: _Compiled, data: bytes, position: int, limit: int, stop: int) -> Iterator[Spans]:
        """The matches that begin from `position` on and before `limit`, and end at `stop` or before. They do not overlap."""
        if not compiled.words:
            while position < limit and (spans := self._search(compiled, data, position, limit, stop)) is not None:
                yield spans
                position = _behind(spans)
            return
        failed = 0
        for start in _starts(data, position, limit, compiled.words):
            if start < position:
                continue
            if failed < _TRIES:
                self.searches += 1
                self.searched_bytes += stop - start
                found = compiled.match(data, start, stop)
                if found is None:
                    failed += 1
                    continue
            elif (found := self._search(compiled, data, start, limit, stop)) is None:
                return
            failed = 0
            yield found
            position = _behind(found)

    def _search(self, compiled: _Compiled, data: bytes, position: int, limit: int, stop: int) -> Spans | None:
        """The first match that begins from `position` on and before `limit`, and ends at `stop` or before."""
        self.searches += 1
        self.searched_bytes += stop - position
        spans = compiled.search(data, position, stop)
        return spans if spans is not None and spans[0][0] < limit else None


def _behind(spans: Spans) -> int:
    """Where the next match may begin: no two of them are empty at one place."""
    begin, end = spans[0]
    return end if end > begin else end + 1


def _starts(data: bytes, begin: int, limit: int, words: Sequence[bytes]) -> list[int]:
    """Where one of `words` begins, in any case, from `begin` on and before `limit`; in order."""
    lowered = data[begin : limit + LONGEST].lower()
    size = limit - begin
    found: list[int] = []
    for word in words:
        at = lowered.find(word)
        while 0 <= at < size:
            found.append(begin + at)
            at = lowered.find(word, at + 1)
    found.sort()
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


def _intervals(buckets: Sequence[Bucket], reach: int, ahead: int, size: int) -> Iterator[tuple[int, int]]:
    """The bytes between which matches stand: from the earliest that the first event can begin to the last event, overlapping ones joined.

    Every match ends at an event or at most `ahead` bytes behind one.
    """
    first, last = 0, -1
    for _, last_end, first_end in buckets:
        begin = max(0, first_end - reach)
        if begin > last:
            if last >= 0:
                yield first, last
            first = begin
        last = min(last_end + ahead, size)
    if last >= 0:
        yield first, last


def _group(span: tuple[int, int], data: bytes, number: int) -> bytes:
    return data[span[0] : span[1]] if number and span[0] >= 0 else b""
