"""From hits to findings: one for each distinct secret, with all its places; what is known or allowed is counted and left out."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from strongroom.scanner.allow import allowance
from strongroom.scanner.examine import Hit
from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.known.rule import KNOWN_VALUE
from strongroom.scanner.rule import Rule
from strongroom.scanner.seen import Ignores, Seen

MOST_OCCURRENCES = 10_000
"""Places of one secret that are kept. Whoever plants it more often does not fill our memory."""
_MOST_WORDING = 32 << 20
"""Bytes of lines that are kept for allow lists, until it is known where their objects stand. Without them a list by lines allows nothing."""


_Spot = tuple[int, int]
_Places = dict[tuple[str, str], list[tuple[_Spot, _Spot]]]
"""Lines and columns from and to, by path and git object."""


class Place(NamedTuple):
    """Where a git object stands in a history: what an `Occurrence` says of it."""

    path: str
    commit: str
    author: str
    author_date: str
    in_head: bool | None


class Collector:
    """Takes hits and makes findings of them."""

    def __init__(
        self,
        rules: Sequence[Rule],
        fingerprinter: Fingerprinter,
        today: dt.date,
        known: frozenset[str] = frozenset(),
        ignores: Ignores | None = None,
    ) -> None:
        self._rules = rules
        self._fingerprinter = fingerprinter
        self._today = today
        self._known = known
        self._ignores = ignores
        self._findings: dict[str, Finding] = {}
        self._places: dict[str, set[tuple[object, ...]]] = {}
        self._known_places: _Places = {}
        self._wording: dict[tuple[str, str, int, int], tuple[bytes, bytes]] = {}
        self._wording_left = _MOST_WORDING
        self.allowed = 0
        """Places that a mark in the text or an ignore file allows."""
        self.in_baseline: set[str] = set()
        """Fingerprints that were found and are known."""

    def add(self, hit: Hit) -> None:
        """Take in a hit."""
        rule = self._rules[hit.rule]
        if rule is KNOWN_VALUE:
            span = ((hit.line, hit.column), (hit.end_line, hit.end_column))
            self._known_places.setdefault((hit.path, hit.object_id), []).append(span)
        print_ = self._fingerprinter.fingerprint(hit.value)
        mark = allowance(hit.text, self._today)
        if (mark is not None and mark.is_allowed) or (
            self._ignores is not None and self._ignores(_seen(hit, print_, rule))
        ):
            self.allowed += 1
            return
        if print_ in self._known:
            self.in_baseline.add(print_)
            return
        reasons = hit.reasons if mark is None else (*hit.reasons, mark.objection)
        self._add_place(self._finding(print_, rule, hit, reasons), hit)

    def findings(self) -> list[Finding]:
        """All findings, the surest first within each severity; occurrences in order of place."""
        self._yield_to_known()
        for finding in self._findings.values():
            finding.occurrences.sort(key=lambda one: (one.path, one.line, one.column, one.commit))
        return in_order(self._findings.values())

    def object_ids(self) -> list[str]:
        """The git objects in which something was found."""
        return sorted({one.object_id for finding in self._findings.values() for one in finding.occurrences} - {""})

    def attribute(self, places: Mapping[str, Sequence[Place]]) -> None:
        """Say of each occurrence in a git object where that object stands in the history. Only now ignore files can tell what of it they name."""
        self._yield_to_known()
        for print_, finding in list(self._findings.items()):
            placed = [(one, place) for one in finding.occurrences for place in _all_placed(one, places)]
            finding.occurrences = [place for one, place in placed if not self._is_ignored(finding, one, place)]
            self.allowed += len(placed) - len(finding.occurrences)
            if not finding.occurrences:
                del self._findings[print_]

    def _is_ignored(self, finding: Finding, found: Occurrence, placed: Occurrence) -> bool:
        if self._ignores is None:
            return False
        match, text = self._wording.get((finding.fingerprint, found.object_id, found.line, found.column), (b"", b""))
        return self._ignores(
            Seen(
                finding.rule.id,
                placed.path,
                placed.line,
                finding.fingerprint,
                placed.commit,
                finding.value,
                match,
                text,
            )
        )

    def _yield_to_known(self) -> None:
        """Where a known value stands, nothing else is said of the same bytes: neither of a part of it, nor of what it is a part of."""
        known, self._known_places = self._known_places, {}
        if not known:
            return
        for spans in known.values():
            spans.sort()
        for print_, finding in list(self._findings.items()):
            if finding.rule is not KNOWN_VALUE:
                finding.occurrences = [one for one in finding.occurrences if not _stands_among(one, known)]
                if not finding.occurrences:
                    del self._findings[print_]

    def _finding(self, print_: str, rule: Rule, hit: Hit, reasons: tuple[str, ...]) -> Finding:
        found = self._findings.get(print_)
        if found is None:
            found = Finding(rule, print_, hit.value, hit.score, reasons, partner=hit.partner)
            self._findings[print_] = found
            self._places[print_] = set()
        elif _is_surer(rule, hit, found):
            found.rule, found.score, found.reasons = rule, hit.score, reasons
        found.partner = found.partner or hit.partner
        return found

    def _keep_wording(self, print_: str, hit: Hit) -> None:
        """Keep the words around what stands in a git object: lists may ask for them together with its path or commit."""
        if self._ignores is not None and hit.object_id and self._wording_left > 0:
            self._wording_left -= len(hit.match) + len(hit.text)
            self._wording[print_, hit.object_id, hit.line, hit.column] = hit.match, hit.text

    def _add_place(self, finding: Finding, hit: Hit) -> None:
        place = (hit.path, hit.line, hit.column, hit.object_id)
        places = self._places[finding.fingerprint]
        if place in places or len(places) >= MOST_OCCURRENCES:
            return
        places.add(place)
        self._keep_wording(finding.fingerprint, hit)
        finding.occurrences.append(
            Occurrence(
                hit.path,
                hit.line,
                hit.end_line,
                hit.column,
                hit.end_column,
                layers=tuple(hit.layers),
                object_id=hit.object_id,
            )
        )


def _seen(hit: Hit, print_: str, rule: Rule) -> Seen:
    return Seen(rule.id, hit.path, hit.line, print_, secret=hit.value, match=hit.match, text=hit.text)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The surest first within each severity."""
    return sorted(
        findings,
        key=lambda one: (
            _RANK[one.rule.severity.value],
            -one.score,
            one.occurrences[0].path,
            one.occurrences[0].line,
            one.fingerprint,
        ),
    )


_RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}


def _is_surer(rule: Rule, hit: Hit, than: Finding) -> bool:
    is_known, was_known = rule is KNOWN_VALUE, than.rule is KNOWN_VALUE
    return (is_known, rule.certainty, hit.score, rule.id) > (was_known, than.rule.certainty, than.score, than.rule.id)


def _stands_among(occurrence: Occurrence, known: _Places) -> bool:
    """Whether an occurrence overlaps a known value. Those of one place do not overlap, so two of them can decide it."""
    spans = known.get((occurrence.path, occurrence.object_id), [])
    start = (occurrence.line, occurrence.column)
    at = bisect_left(spans, ((occurrence.end_line, occurrence.end_column), (0, 0)))
    return any(end > start for _, end in spans[max(0, at - 2) : at])


def _all_placed(occurrence: Occurrence, places: Mapping[str, Sequence[Place]]) -> list[Occurrence]:
    return [_placed(occurrence, place) for place in places.get(occurrence.object_id, ())] or [occurrence]


def _placed(occurrence: Occurrence, place: Place) -> Occurrence:
    return replace(
        occurrence,
        path=_within(place.path, occurrence.path),
        commit=place.commit,
        author=place.author,
        author_date=place.author_date,
        in_head=place.in_head,
    )


def _within(path: str, shown: str) -> str:
    """`path` with the steps into a container that `shown` takes."""
    _, step, inside = shown.partition("!/")
    return f"{path}{step}{inside}"
