"""One fragment from bytes to hits: wide stage, exact stage, decoded layers, judge, and who wins where several match."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from strongroom.scanner.automaton import Automaton
from strongroom.scanner.candidate import Candidate, Judge, Verdict
from strongroom.scanner.confirm import Bucket, Confirmer, Lowered, Match
from strongroom.scanner.expressions import (
    DECODER_SHIFT,
    ENCODINGS,
    FORMATS,
    GUESSES,
    RULE_SHIFT,
    Events,
    Expression,
    by_expression,
    twins_of,
)
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.late_judge import LateJudge
from strongroom.scanner.layers import MAX_DEPTH, Budget, Decoder, Layer, regions_of
from strongroom.scanner.lines import Lines
from strongroom.scanner.overlaps import Judged, Spans, across_layers, strongest
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.rule import Kind, Rule
from strongroom.scanner.windows import windows_of

_SNIFFED = 8192
_PAIR_DISTANCE = 4096
"""Bytes between the halves of a credential, at most."""
_PAIR_NEIGHBOURS = 8
_LONGEST_MATCH = 4096


class Hit(NamedTuple):
    """A secret at a place, as plain values that pass from process to process. `rule` is the rule's number."""

    rule: int
    value: bytes
    path: str
    line: int
    end_line: int
    column: int
    end_column: int
    object_id: str
    layers: tuple[str, ...]
    score: float
    reasons: tuple[str, ...]
    text: bytes
    """The lines it stands on, for the marks that allow it."""
    partner: bytes = b""
    """The other half of the credential, where it stands nearby."""
    match: bytes = b""
    """All that the rule's pattern matched; of a long match only the beginning."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is looked for: the rules, the decoders, who judges, and the least score of each kind that counts."""

    rules: Sequence[Rule]
    thresholds: Mapping[Kind, float]
    decoders: Sequence[Decoder] = ()
    judge: Judge | None = None
    max_depth: int = MAX_DEPTH

    def expressions(self) -> list[Expression]:
        """What the wide stage looks for: the rules' patterns, then the decoders' gates."""
        found = [
            Expression(
                (rule.wide or rule.pattern).encode(),
                RULE_SHIFT,
                tuple(word.encode() for word in rule.keywords),
                rule.part or (FORMATS if rule.kind is Kind.PROVIDER else GUESSES),
                family=rule.family.encode(),
                endings=rule.endings,
            )
            for rule in self.rules
        ]
        return found + [
            Expression(decoder.gate, DECODER_SHIFT, part=decoder.part or ENCODINGS) for decoder in self.decoders
        ]


class Watcher(Protocol):
    """Looks for something of its own in all that is read."""

    def see(self, layer: Layer) -> None:
        """Take in a layer of the window that is being read."""
        ...

    def end(self, window: Fragment) -> list[Hit]:
        """The window was read. Hits that are certain by now, in it or in earlier ones."""
        ...

    def finish(self) -> list[Hit]:
        """The hits that are left."""
        ...

    def forked(self) -> None:
        """This process is a copy of the one that made it."""
        ...


class Examiner:
    """Examines fragments, one after the other. Not for several threads at once.

    `watcher` sees every layer too. Its hits may come late, with a later fragment or from `finish`; they have the rule `watched`, numbered after all others.
    """

    def __init__(
        self,
        plan: Plan,
        automaton: Automaton,
        report: Report,
        watcher: Watcher | None = None,
        watched: Sequence[Rule] = (),
    ) -> None:
        self._plan = plan
        self.automaton = automaton
        self._report = report
        expressions = plan.expressions()
        self._shifts = [expression.shift for expression in expressions]
        self._twins = twins_of(expressions)
        self._least = [plan.thresholds[rule.kind] for rule in plan.rules]
        self._watcher = watcher
        self._rules = (*plan.rules, *watched)
        self._numbers = {rule.id: number for number, rule in enumerate(plan.rules)}
        self.confirmer = Confirmer(plan.rules)
        """The exact stage, which counts its work."""
        self._ahead: dict[int, Events] = {}
        """The events of what was looked at ahead, by the identity of the bytes, which they hold."""

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules, by the numbers that hits have."""
        return self._rules

    def forked(self) -> None:
        """This process is a copy of the one that made the examiner."""
        if self._watcher is not None:
            self._watcher.forked()

    def finish(self) -> list[Hit]:
        """Nothing more will be examined: the hits that are left."""
        return [] if self._watcher is None else self._watcher.finish()

    def prepare(self, *, for_many: bool = False) -> None:
        """Load what is loaded when it is first needed, so that processes that are forked share it; `for_many` files also the patterns that are met most often."""
        if isinstance(self._plan.judge, LateJudge):
            self._plan.judge.load()
        if for_many:
            self.confirmer.prepare(
                number for number, rule in enumerate(self._plan.rules) if rule.kind is Kind.GENERIC and rule.keywords
            )

    def look_ahead(self, many: Sequence[bytes]) -> None:
        """Run the wide stage over what will be examined next, all together: faster where it is many small pieces."""
        self._ahead = {id(events.data): events for events in self.automaton.scan_together(many)}

    def examine(self, fragment: Fragment) -> list[Hit]:
        """Every secret in `fragment`, with its place, in order."""
        hits: list[Hit] = []
        for window in windows_of(fragment):
            events = self._ahead.pop(id(window.data), None)
            if events is None:
                events = self.automaton.scan(window.data)
            if events or self._watcher is not None:
                hits += self._hits(window, self._judged(window, events))
            if self._watcher is not None:
                hits += self._watcher.end(window)
        return hits

    def _judged(self, window: Fragment, events: Events) -> list[Judged]:
        """What the judge lets pass in all layers of a window."""
        judged: list[Judged] = []
        budget = Budget(len(window.data))
        seen: set[tuple[int, int]] = set()
        waiting = deque([(Layer(window.data), events)])
        while waiting:
            layer, layer_events = waiting.popleft()
            if self._watcher is not None:
                self._watcher.see(layer)
            found = by_expression(layer_events, self._shifts, self._twins)
            judged += self._matches(window.path, layer, found)
            if len(layer.names) >= self._plan.max_depth:
                continue
            for below in self._decoded(layer, found, budget):
                place = (hash(below.data), below.locate(0, len(below.data))[0])
                if place not in seen:
                    seen.add(place)
                    below_events = self.automaton.scan(below.data)
                    if below_events or self._watcher is not None:
                        waiting.append((below, below_events))
        if budget.exceeded:
            self._report(Problem(window.path, "it holds more encoded data than is decoded of one file"))
        return judged

    def _decoded(self, layer: Layer, found: Mapping[int, list[Bucket]], budget: Budget) -> Iterator[Layer]:
        count = len(self._plan.rules)
        for number in sorted(number for number in found if number >= count):
            decoder = self._plan.decoders[number - count]
            for region in regions_of(found[number], len(layer.data), decoder.reach):
                part = layer.part(region.start, region.end)
                for decoded in decoder.decode(part.data, region.ends):
                    if not budget.take(len(decoded.data)):
                        return
                    yield part.below(decoder.id, decoded)

    def _matches(self, path: str, layer: Layer, found: Mapping[int, list[Bucket]]) -> list[Judged]:
        """What the judge lets pass in one layer: formats of providers first, then guesses where none of these stands."""
        lowered = Lowered(layer.data)
        judged: list[Judged] = []
        guesses: list[Match] = []
        count = len(self._plan.rules)
        is_text = not is_binary(layer.data)
        for number in sorted(number for number in found if number < count):
            buckets = found[number]
            matches = self.confirmer.matches(number, layer.data, lowered, buckets)
            if self._plan.rules[number].kind is Kind.PROVIDER:
                judged += self._passing(path, layer, matches)
            elif is_text:
                guesses += matches
        if guesses:
            taken = Spans((one.match.start, one.match.end) for one in judged)
            judged += self._passing(path, layer, (one for one in guesses if not taken.meet(one.start, one.end)))
        return strongest(judged)

    def _passing(self, path: str, layer: Layer, matches: Iterable[Match]) -> Iterator[Judged]:
        judge = self._plan.judge
        for match in matches:
            rule, least = self._plan.rules[match.rule], self._least[match.rule]
            if judge is None:
                verdict = _UNJUDGED
            else:
                candidate = Candidate(rule, path, layer.data, match.start, match.end, match.name, layer.names)
                verdict = judge.judge(candidate, least)
            if verdict.score >= least:
                start, end = layer.locate(match.start, match.end)
                yield Judged(start, end, rule, match, layer, verdict)

    def _hits(self, window: Fragment, judged: list[Judged]) -> list[Hit]:
        if not judged:
            return []
        own_end = len(window.data) if window.own_end is None else window.own_end
        lines = Lines(window)
        found = across_layers(judged)
        return [
            self._hit(window, lines, one, partner_of(one, found))
            for one in found
            if window.own_start <= one.start < own_end
        ]

    def _hit(self, window: Fragment, lines: Lines, one: Judged, partner: bytes) -> Hit:
        place = lines.place(one.start, one.end)
        return Hit(
            self._numbers[one.rule.id],
            one.value,
            window.path,
            *place,
            window.object_id,
            one.layer.names,
            one.verdict.score,
            one.verdict.reasons,
            lines.text(one.start, one.end),
            partner,
            one.layer.data[one.match.match_start : one.match.match_end][:_LONGEST_MATCH],
        )


_UNJUDGED = Verdict(1.0)


def partner_of(one: Judged, found: Sequence[Judged]) -> bytes:
    """The other half of the credential of which `one` is a half: what its own match names, or the nearest of a rule it pairs with."""
    if one.match.public_id or not one.rule.pairs_with:
        return one.match.public_id
    at = bisect_left(found, one.start, key=lambda other: other.start)
    nearby = found[max(0, at - _PAIR_NEIGHBOURS) : at + _PAIR_NEIGHBOURS + 1]
    pairs = [other for other in nearby if other.rule.id in one.rule.pairs_with]
    nearest = min(pairs, key=lambda other: abs(other.start - one.start), default=None)
    return nearest.value if nearest is not None and abs(nearest.start - one.start) <= _PAIR_DISTANCE else b""


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text: they hold zeros, and not in the pattern of UTF-16 or UTF-32. Guesses from context mean nothing there."""
    if data.find(b"\0", 0, _SNIFFED) < 0:
        return False
    start = data[:_SNIFFED]
    zeros = start.count(0)
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    even, odd = start[::2].count(0), start[1::2].count(0)
    return not (zeros * 5 >= len(start) * 2 and (min(even, odd) * 20 <= zeros or zeros * 10 >= len(start) * 7))
