"""The judge: adds up what speaks for and against a candidate, and says why."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from strongroom.scanner.candidate import Candidate, Verdict
from strongroom.scanner.rule import Kind, Severity
from strongroom.scanner.scorer.features import (
    EDGE,
    GAP,
    LONGEST_VALUE,
    Feature,
    Place,
    beginning_features,
    beginning_of,
    edge_features,
    joint_features,
    name_features,
    path_features,
    place_of,
    repetition,
    value_features,
    word_features,
    words_beside,
)
from strongroom.scanner.scorer.model import Model, committed_model
from strongroom.scanner.scorer.placeholders import placeholder_signs
from strongroom.scanner.scorer.reasons import reasons_for

Key = TypeVar("Key")

_PROVEN = Verdict(0.99, ("its checksum holds",))
_DECODED = Verdict(0.97, ("what is encoded in it is what its format says",))
_FORMAT = Verdict(0.9, ("it has the format of its provider",))
_PLACEHOLDER = 0.05
_MOST_REMEMBERED = 4096
_MOST_OF_A_POINTER = 0.9
"""What only points at something (a UUID, a bucket's name) is reported by default, as people ask for it, but never as beyond doubt."""
_UNTOLD = 0.1
"""Whatever scores less is reported at no level: it needs no reasons."""


class _Memory(dict[Key, int]):
    """What keys weigh: the sum of the weights of their features, read where it is first asked. Up to a bound, then everything is forgotten."""

    def __init__(self, model: Model, read: Callable[[Key], list[Feature]]) -> None:
        super().__init__()
        self._weights = model.weights
        self.features = read
        """The features of a key themselves."""

    def __missing__(self, key: Key) -> int:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        weights = self._weights
        total = 0
        for group, name in self.features(key):
            if group in weights:
                total += weights[group].get(name, 0)
        self[key] = total
        return total


class LinearJudge:
    """A sum of weights, one for each feature, as a chance. Matches of providers' formats are only asked whether they are placeholders.

    What files, names and values weigh is remembered, up to a bound: the same ones come again and again. Not for several threads at once.
    """

    def __init__(self, model: Model, root: str = "") -> None:
        """`root` is cut off of paths: what the folders above a project are called says nothing of what is in it."""
        self.model = model
        """What it weighs with."""
        self._root = root
        vocabulary = model.vocabulary
        self._paths = _Memory(model, path_features)
        self._names = _Memory(model, name_features)
        self._begins: _Memory[tuple[bytes, int]] = _Memory(model, lambda begins: beginning_features(*begins))
        self._beside = model.weights.get("r", _NOTHING)
        self._edges: _Memory[tuple[bytes, bytes]] = _Memory(model, lambda edge: edge_features(*edge))
        self._values: _Memory[tuple[str, bytes, int]] = _Memory(model, lambda seen: value_features(*seen, vocabulary))

    def judge(self, candidate: Candidate, least: float = _UNTOLD) -> Verdict:
        """The verdict over `candidate`, with reasons if its score is at least `least`. It costs the same however long the data around the candidate is."""
        data, start, end, rule = candidate.data, candidate.start, candidate.end, candidate.rule
        if start >= end:
            return Verdict(0.0)
        if rule.kind is Kind.PROVIDER:
            return _judge_format(candidate)
        place = place_of(data, start, end, candidate.name)
        value = data[start : min(end, start + LONGEST_VALUE)]
        path = candidate.path.removeprefix(self._root)
        edge = place.gap[:GAP], place.after[:EDGE]
        seen = rule.id, value, end - start
        begins = beginning_of(place)
        total = (
            self.model.bias
            + self._own_weight(place, data, start, end, value)
            + self._paths[path]
            + self._names[place.name]
            + self._edges[edge]
            + self._values[seen]
            + self._begins[begins]
        )
        weights, scale = self.model.weights, self.model.scale
        score = 1 / (1 + math.exp(-max(-30.0, min(30.0, total / scale))))
        if rule.severity is Severity.INFO:
            score = min(score, _MOST_OF_A_POINTER)
        if score < least:
            return Verdict(score)
        features = [
            *word_features(place),
            *joint_features(place.name, value),
            repetition(data, start, end, value),
            *self._paths.features(path),
            *self._names.features(place.name),
            *self._edges.features(edge),
            *self._values.features(seen),
            *self._begins.features(begins),
        ]
        told = [(group, weights[group].get(name, 0)) for group, name in features if group in weights]
        return Verdict(score, reasons_for(told, scale // 4, secret=total >= 0))

    def _own_weight(self, place: Place, data: bytes, start: int, end: int, value: bytes) -> int:
        """What is found out for this candidate alone: the words beside it, what it has in common with its name, how often it stands around itself."""
        beside = self._beside
        total = sum([beside.get(word, 0) for word in words_beside(place)]) if beside else 0
        weights = self.model.weights
        for group, name in joint_features(place.name, value):
            total += weights.get(group, _NOTHING).get(name, 0)
        group, name = repetition(data, start, end, value)
        return total + weights.get(group, _NOTHING).get(name, 0)


_NOTHING: Mapping[str | int, int] = {}


def _judge_format(candidate: Candidate) -> Verdict:
    if candidate.rule.checksum is not None:
        return _PROVEN
    if candidate.rule.structure is not None:
        return _DECODED
    signs = placeholder_signs(candidate.value)
    return Verdict(_PLACEHOLDER, tuple(signs)) if signs else _FORMAT


def standard_judge(root: str = "") -> LinearJudge:
    """A judge with the weights that come with Strongroom, for paths that begin with `root`."""
    return LinearJudge(committed_model(), root)
