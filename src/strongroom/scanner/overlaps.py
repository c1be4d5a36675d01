"""Matches that overlap: which of them stand for the place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from strongroom.scanner.candidate import Verdict
from strongroom.scanner.confirm import Match
from strongroom.scanner.layers import Layer
from strongroom.scanner.rule import Kind, Rule

_LARGEST_CLUSTER = 64


class Judged(NamedTuple):
    """A match with its rule, its layer, its verdict, and where it stands in the fragment."""

    start: int
    end: int
    rule: Rule
    match: Match
    layer: Layer
    verdict: Verdict

    @property
    def value(self) -> bytes:
        """The secret."""
        return self.layer.data[self.match.start : self.match.end]

    def __repr__(self) -> str:
        return f"<Judged match of {self.rule.id} at {self.start}>"


class Spans:
    """Runs of bytes that do not overlap, or of which it does not matter."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def meet(self, start: int, end: int) -> bool:
        """Whether any of them overlaps the bytes from `start` to `end`."""
        at = bisect_left(self._starts, end)
        return at > 0 and self._ends[at - 1] > start

    def add(self, start: int, end: int) -> None:
        """Put in a run that meets no other."""
        at = bisect_left(self._starts, end)
        self._starts.insert(at, start)
        self._ends.insert(at, end)


def strongest(judged: Iterable[Judged]) -> list[Judged]:
    """Of the matches in one layer, those that no stronger one overlaps.

    A provider's format beats a guess from context; then the rule that can prove itself, that knows the provider, or that looked inside; then the higher score, the longer match.
    """
    taken = Spans()
    kept: list[Judged] = []
    for one in sorted(judged, key=_strength, reverse=True):
        start, end = one.match.start, one.match.end
        if not taken.meet(start, end):
            taken.add(start, end)
            kept.append(one)
    return kept


def across_layers(judged: Iterable[Judged]) -> list[Judged]:
    """Of what several layers say of the same place: each value once, and no guess where another layer is surer. In order of place."""
    kept: list[Judged] = []
    for cluster in _clusters(judged):
        if len({id(one.layer) for one in cluster}) == 1:
            kept += cluster
        elif len(cluster) <= _LARGEST_CLUSTER:
            kept += [one for one in _each_value_once(cluster) if not any(_outdoes(other, one) for other in cluster)]
        else:
            kept += _each_value_once(cluster)
    return sorted(kept, key=lambda one: (one.start, one.end))


def _clusters(judged: Iterable[Judged]) -> Iterator[list[Judged]]:
    cluster: list[Judged] = []
    end = -1
    for one in sorted(judged, key=lambda found: (found.start, found.end)):
        if cluster and one.start >= end:
            yield cluster
            cluster = []
        cluster.append(one)
        end = max(end, one.end)
    if cluster:
        yield cluster


def _each_value_once(cluster: Iterable[Judged]) -> list[Judged]:
    by_value: dict[bytes, Judged] = {}
    for one in sorted(cluster, key=lambda found: (found.rule.kind is not Kind.PROVIDER, len(found.layer.names))):
        by_value.setdefault(one.value, one)
    return list(by_value.values())


def _outdoes(other: Judged, one: Judged) -> bool:
    """Whether `one` is a guess about a place of which `other`, from another layer, is surer."""
    if (
        one.rule.kind is Kind.PROVIDER
        or other.layer is one.layer
        or not (other.start < one.end and one.start < other.end)
    ):
        return False
    if other.rule.kind is Kind.PROVIDER:
        return True
    return (other.verdict.score, -len(other.layer.names)) > (one.verdict.score, -len(one.layer.names))


def _strength(one: Judged) -> tuple[tuple[bool, ...], float, int, str]:
    return (
        one.rule.certainty,
        one.verdict.score,
        one.match.match_end - one.match.match_start,
        one.rule.id,
    )
