"""Makes the weights of the scanner's judge from labelled data, and measures them on repositories that they were not made from.

    python -m tools.train_scorer DATA            prints the quality, and writes nothing
    python -m tools.train_scorer DATA --write    also writes src/strongroom/scanner/scorer/weights.json

The judge is a logistic regression over the features of `scorer/features.py`. The figures are out of fold: repositories are dealt into
folds, and each is judged by weights made from the others. The same data gives the same weights, byte for byte.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from strongroom.scanner.levels import Level
from strongroom.scanner.rule import Kind
from strongroom.scanner.scorer.features import Feature, features_of
from strongroom.scanner.scorer.judge import LinearJudge
from strongroom.scanner.scorer.model import Model
from strongroom.scanner.scorer.vocabulary import Vocabulary
from tools.engine_quality import Engine
from tools.gathered import Gathered, as_people_choose, gather
from tools.labelled import Labels, Score, Unit, repository_of, score
from tools.scorer_weights import SCALE, learn_words, to_json

WEIGHTS = Path(__file__).parent.parent / "src/strongroom/scanner/scorer/weights.json"
FOLDS = 8
LEAST_REPOSITORIES = 3
"""A feature that fewer repositories show is not learned: it would be about them."""
WORD_GROUPS = frozenset({"n", "last", "v", "r"})
"""Groups of words: only those of the vocabulary are learned, so that nothing of a single value gets into the weights."""
EVEN = 0.5
REGULARISATION = 0.1
COPIES = 3
"""Copies of each secret with other values as people choose them."""
CHOSEN_BY_PEOPLE = 1.0
"""What such a copy weighs, beside the 1 of a candidate of the data."""
DEFAULT_LINE = 0.5
"""The chance from which a candidate is reported by default: the committed weights are shifted so that it scores 0.5."""


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate of a generic rule: its features, whether it is a secret, and what it weighs in the learning."""

    features: list[Feature]
    repository: str
    unit: Unit
    secret: bool
    weight: float = 1.0


def rows_of(gathered: list[Gathered], labels: Labels, vocabulary: Vocabulary) -> tuple[list[Row], list[Row]]:
    """A row for each generic candidate, and one for each copy as people choose them."""
    random = Random(7)
    by_length: dict[int, list[bytes]] = defaultdict(list)
    for word in vocabulary.known():  # words of one length stand for each other
        by_length[len(word)].append(word.encode())
    rows, copies = [], []
    for one in gathered:
        candidate = one.candidate
        if candidate.rule.kind is not Kind.GENERIC:
            continue
        secret = any(unit in labels.true for unit in labels.hit_by(one.unit))
        repository = repository_of(candidate.path)
        rows.append(Row(features_of(candidate, vocabulary), repository, one.unit, secret))
        for _ in range(COPIES if secret else 0):
            copy = as_people_choose(candidate, by_length, random)
            if copy:
                copies.append(Row(features_of(copy, vocabulary), repository, one.unit, True, CHOSEN_BY_PEOPLE))
    return rows, copies


class Learner:
    """Numbers the features that are worth learning, and fits weights for them."""

    def __init__(self, rows: list[Row], vocabulary: Vocabulary) -> None:
        shown: dict[Feature, set[str]] = defaultdict(set)
        for row in rows:
            for feature in row.features:
                shown[feature].add(row.repository)
        known = frozenset(vocabulary.known())
        self.features = sorted(
            (
                feature
                for feature, repositories in shown.items()
                if (len(repositories) >= LEAST_REPOSITORIES or feature[0] == "rule")
                and (feature[0] not in WORD_GROUPS or feature[1] in known)
            ),
            key=lambda feature: (feature[0], str(feature[1])),
        )
        self._numbers = {feature: number for number, feature in enumerate(self.features)}

    def matrix(self, rows: list[Row]) -> Any:
        """`rows` as a sparse matrix."""
        numbers, pointers = [], [0]
        for row in rows:
            numbers += sorted({self._numbers[feature] for feature in row.features if feature in self._numbers})
            pointers.append(len(numbers))
        ones = import_module("numpy").ones(len(numbers))
        shape = (len(rows), len(self.features))
        return import_module("scipy.sparse").csr_matrix((ones, numbers, pointers), shape=shape)

    def fit(self, rows: list[Row]) -> Any:
        """The regression over `rows`."""
        regression = import_module("sklearn.linear_model").LogisticRegression(
            C=REGULARISATION, solver="liblinear", random_state=0, max_iter=500
        )
        weights = [row.weight for row in rows]
        return regression.fit(self.matrix(rows), [row.secret for row in rows], sample_weight=weights)


def folds_of(rows: list[Row]) -> list[frozenset[str]]:
    """The repositories, dealt into folds of about as many candidates each."""
    sizes = Counter(row.repository for row in rows)
    dealt: list[set[str]] = [set() for _ in range(FOLDS)]
    filled = [0] * FOLDS
    for repository, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        emptiest = filled.index(min(filled))
        dealt[emptiest].add(repository)
        filled[emptiest] += size
    return [frozenset(fold) for fold in dealt]


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of a learning: the regression, and which of its numbers is which feature."""

    learner: Learner
    regression: Any

    def chances(self, rows: list[Row]) -> list[float]:
        """The chance of each of `rows`."""
        return [float(chance) for chance in self.regression.predict_proba(self.learner.matrix(rows))[:, 1]]

    def to_json(self, words: list[str], trigrams: Mapping[bytes, int]) -> str:
        """The weights as they are committed, shifted so that the default line is an even chance."""
        bias = float(self.regression.intercept_[0]) - math.log(DEFAULT_LINE / (1 - DEFAULT_LINE))
        weights = dict(zip(self.learner.features, self.regression.coef_[0], strict=True))
        return to_json(bias, weights, words, trigrams)


def learn(rows: list[Row], copies: list[Row], vocabulary: Vocabulary, without: frozenset[str] = frozenset()) -> Learned:
    """Learns from all repositories but those of `without`."""
    kept = [row for row in rows if row.repository not in without]
    learner = Learner(kept, vocabulary)
    return Learned(learner, learner.fit([*kept, *(row for row in copies if row.repository not in without)]))


def out_of_fold(rows: list[Row], learned: Mapping[frozenset[str], Learned]) -> list[float]:
    """The chance of each of `rows`, from weights that were made without its repository."""
    chances = [0.0] * len(rows)
    for fold, weights in learned.items():
        held = [number for number, row in enumerate(rows) if row.repository in fold]
        for number, chance in zip(held, weights.chances([rows[number] for number in held]), strict=True):
            chances[number] = chance
    return chances


def print_score(title: str, found: Score, core: Score) -> None:
    """A line of figures, those of the core at its end."""
    print(
        f"{title:34} P {found.precision:.3f}  R {found.recall:.3f}  F1 {found.f1:.3f}  strict P {found.strict_precision:.3f}"
        f"  strict F1 {found.strict_f1:.3f}  core F1 {core.f1:.3f} / {core.strict_f1:.3f}"
    )


def print_categories(found: Score) -> None:
    """A line for each category of the data, the largest first."""
    print(f"{'category':34}{'true':>6}{'recall':>8}{'precision':>11}{'false':>7}")
    for category, (hit, missed, false) in sorted(found.by_category.items(), key=lambda item: -sum(item[1][:2])):
        recall = hit / max(1, hit + missed)
        print(f"{category:34}{hit + missed:>6}{recall:>8.3f}{hit / max(1, hit + false):>11.3f}{false:>7}")


def main() -> None:
    """Learns, measures, and writes the weights where it is asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    labels = Labels.read(arguments.data)
    words, trigrams = learn_words(arguments.data)
    vocabulary = Vocabulary(words, trigrams)
    gathered = list(gather(arguments.data))
    rows, copies = rows_of(gathered, labels, vocabulary)
    print(f"{len(gathered)} candidates, {len(rows)} of them of generic rules; {len(copies)} copies as people choose")
    folds = folds_of(rows)
    learned = {fold: learn(rows, copies, vocabulary, fold) for fold in folds}
    measure(labels, rows, out_of_fold(rows, learned), provider_findings(gathered))
    judges = {fold: LinearJudge(Model.from_json(one.to_json(words, trigrams))) for fold, one in learned.items()}
    text = learn(rows, copies, vocabulary).to_json(words, trigrams)
    in_sample = dict.fromkeys(folds, LinearJudge(Model.from_json(text)))
    engine = Engine(arguments.data)
    for level in Level:
        print_all(f"whole engine, level {level.value}", labels, engine.units(judges, level), None)
    print_all("in sample (not a measure)", labels, engine.units(in_sample, Level.DEFAULT), None)
    print(f"{len(text)} bytes of weights, in units of 1/{SCALE}")
    if arguments.write:
        WEIGHTS.write_text(text, encoding="ascii")


def measure(labels: Labels, rows: list[Row], chances: list[float], provider: list[Unit]) -> None:
    """Prints how rules and judge do by themselves: no decoders, no containers."""
    print_all("providers' formats alone", labels, provider, None)
    for line in (0.1, 0.3, 0.4, 0.45, DEFAULT_LINE, 0.55, 0.6, 0.8, 0.9):
        units = [row.unit for row, chance in zip(rows, chances, strict=True) if chance >= line]
        print_all(f"out of fold, line at {line}", labels, [*provider, *units], None)
    units = [row.unit for row, chance in zip(rows, chances, strict=True) if chance >= DEFAULT_LINE]
    for number, fold in enumerate(folds_of(rows), 1):
        print_all(f"fold {number} ({len(fold)} repositories)", labels, [*provider, *units], fold)
    print_categories(score(labels, [*provider, *units]))


def provider_findings(gathered: list[Gathered]) -> list[Unit]:
    """Where the judge lets matches of providers' formats pass. It does so without weights."""
    judge = LinearJudge(Model(SCALE, 0, {}, Vocabulary((), {})))
    formats = [one for one in gathered if one.candidate.rule.kind is Kind.PROVIDER]
    return [one.unit for one in formats if judge.judge(one.candidate).score >= EVEN]


def print_all(title: str, labels: Labels, units: list[Unit], fold: frozenset[str] | None) -> None:
    """A line of figures, over everything and over the core."""
    print_score(title, score(labels, units, fold), score(labels, units, fold, core=True))


if __name__ == "__main__":
    main()
