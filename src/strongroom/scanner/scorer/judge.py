"""The judge: adds up what speaks for and against a candidate, and says why."""

from __future__ import annotations

import math

from strongroom.scanner.candidate import Candidate, Verdict
from strongroom.scanner.rule import Kind, Severity
from strongroom.scanner.scorer.features import Feature, name_features, own_features, path_features, place_of
from strongroom.scanner.scorer.model import Model, committed_model
from strongroom.scanner.scorer.placeholders import placeholder_signs
from strongroom.scanner.scorer.reasons import reasons_for

_PROVEN = Verdict(0.99, ("its checksum holds",))
_FORMAT = Verdict(0.9, ("it has the format of its provider",))
_PLACEHOLDER = 0.05
_MOST_REMEMBERED = 4096
_MOST_OF_A_POINTER = 0.9
"""What only points at something (a UUID, a bucket's name) is reported by default, as people ask for it, but never as beyond doubt."""
_UNTOLD = 0.05
"""Whatever scores less is reported at no level: it needs no reasons."""


class LinearJudge:
    """A sum of weights, one for each feature, as the chance that it means. Matches of provider formats are only asked whether they are placeholders.

    What files and names weigh is remembered, up to a bound: the same ones come again and again. Not for several threads at once.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        """What it weighs with."""
        self._paths: dict[str, int] = {}
        self._names: dict[bytes, int] = {}

    def judge(self, candidate: Candidate) -> Verdict:
        """The verdict over `candidate`. It costs the same however long the data around the candidate is."""
        if candidate.start >= candidate.end:
            return Verdict(0.0)
        if candidate.rule.kind is Kind.PROVIDER:
            return _judge_format(candidate)
        place = place_of(candidate.data, candidate.start, candidate.end, candidate.name)
        features = own_features(candidate, place, self.model.vocabulary)
        total = self.model.bias + self._of_path(candidate.path) + self._of_name(place.name) + self._sum(features)
        score = 1 / (1 + math.exp(-max(-30.0, min(30.0, total / self.model.scale))))
        if candidate.rule.severity is Severity.INFO:
            score = min(score, _MOST_OF_A_POINTER)
        if score < _UNTOLD:
            return Verdict(score)
        features += path_features(candidate.path)
        features += name_features(place.name)
        weights = self.model.weights
        told = ((group, weights[group].get(key, 0)) for group, key in features if group in weights)
        return Verdict(score, reasons_for(told, self.model.scale // 4, secret=total >= 0))

    def _sum(self, features: list[Feature]) -> int:
        weights = self.model.weights
        return sum([weights[group].get(key, 0) for group, key in features if group in weights])

    def _of_path(self, path: str) -> int:
        found = self._paths.get(path)
        if found is None:
            if len(self._paths) >= _MOST_REMEMBERED:
                self._paths.clear()
            found = self._paths[path] = self._sum(path_features(path))
        return found

    def _of_name(self, name: bytes) -> int:
        found = self._names.get(name)
        if found is None:
            if len(self._names) >= _MOST_REMEMBERED:
                self._names.clear()
            found = self._names[name] = self._sum(name_features(name))
        return found


def _judge_format(candidate: Candidate) -> Verdict:
    if candidate.rule.checksum is not None:
        return _PROVEN
    signs = placeholder_signs(candidate.value)
    return Verdict(_PLACEHOLDER, tuple(signs)) if signs else _FORMAT


def standard_judge() -> LinearJudge:
    """A judge with the weights that come with Strongroom."""
    return LinearJudge(committed_model())
