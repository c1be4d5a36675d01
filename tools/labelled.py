"""Reads labelled development data, and scores findings against it as its labellers count.

The folder holds `data/<repository>/…`, the files, and `meta/<repository>.csv`, a row for each place that somebody has labelled. A *unit* is
a run of lines with at least one row: true if a row of it says so, else false. A finding hits the units whose lines it meets; one that
meets none is unlabelled, and false where we count strictly.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Unit = tuple[str, int, int]
"""A file, and the first and the last line."""

NO_SECRETS = frozenset(
    {"UUID", "Salt", "Nonce", "AWS S3 Bucket", "Firebase Domain", "Tencent WeChat API App ID", "Other"}
)
"""Categories that the data calls true and few people call secrets; the *core* figures leave them out."""


@dataclass(slots=True)
class Labels:
    """What is known of the lines of the data: true and false units with their categories."""

    true: dict[Unit, set[str]] = field(default_factory=dict)
    false: dict[Unit, set[str]] = field(default_factory=dict)
    _by_line: dict[tuple[str, int], list[Unit]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> Labels:
        """The labels of the data in `root`."""
        labels = cls()
        for table in sorted((root / "meta").glob("*.csv")):
            with table.open(newline="", encoding="utf-8") as rows:
                for row in csv.DictReader(rows):
                    units = labels.true if row["GroundTruth"] == "T" else labels.false
                    unit = row["FilePath"], int(row["LineStart"]), int(row["LineEnd"])
                    units.setdefault(unit, set()).update(row["Category"].split(":"))
        true_lines = {line for unit in labels.true for line in lines_of(unit)}
        for unit in [unit for unit in labels.false if true_lines.intersection(lines_of(unit))]:
            del labels.false[unit]
        for unit in (*labels.true, *labels.false):
            for line in lines_of(unit):
                labels._by_line.setdefault(line, []).append(unit)
        return labels

    def hit_by(self, finding: Unit) -> set[Unit]:
        """The units that `finding` meets."""
        return {unit for line in lines_of(finding) for unit in self._by_line.get(line, ())}


def lines_of(unit: Unit) -> list[tuple[str, int]]:
    """Each line of a unit."""
    return [(unit[0], line) for line in range(unit[1], unit[2] + 1)]


def repository_of(path: str) -> str:
    """The repository that a file of the data is of."""
    return path.split("/")[1]


@dataclass(frozen=True, slots=True)
class Score:
    """How findings do: units hit and missed, and what was reported that no label knows."""

    hits: int
    false: int
    missed: int
    unlabelled: int
    by_category: Mapping[str, tuple[int, int, int]]
    """Hit, missed, and falsely reported units of each category."""

    @property
    def recall(self) -> float:
        """The share of the true units that was found."""
        return ratio(self.hits, self.hits + self.missed)

    @property
    def precision(self) -> float:
        """The share of labelled findings that are true."""
        return ratio(self.hits, self.hits + self.false)

    @property
    def strict_precision(self) -> float:
        """The share of all findings that are true, unlabelled ones being false."""
        return ratio(self.hits, self.hits + self.false + self.unlabelled)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return ratio(2 * self.precision * self.recall, self.precision + self.recall)

    @property
    def strict_f1(self) -> float:
        """The harmonic mean of strict precision and recall."""
        return ratio(2 * self.strict_precision * self.recall, self.strict_precision + self.recall)


def ratio(part: float, whole: float) -> float:
    """`part` of `whole`; 0 of nothing."""
    return part / whole if whole else 0.0


def score(
    labels: Labels, findings: Iterable[Unit], repositories: frozenset[str] | None = None, *, core: bool = False
) -> Score:
    """How `findings` do on `repositories` (None: all), without the categories of no secrets if `core`."""

    def counts(unit: Unit, categories: set[str]) -> bool:
        is_core = not core or bool(categories - NO_SECRETS)
        return is_core and (repositories is None or repository_of(unit[0]) in repositories)

    true = {unit for unit, categories in labels.true.items() if counts(unit, categories)}
    hit: set[Unit] = set()
    false: set[Unit] = set()
    unlabelled: set[tuple[str, int]] = set()
    for finding in set(findings):
        if repositories is not None and repository_of(finding[0]) not in repositories:
            continue
        met = labels.hit_by(finding)
        if not met:
            unlabelled.add(finding[:2])
        elif not any(unit in labels.true for unit in met):
            false |= {unit for unit in met if counts(unit, labels.false[unit])}
        hit |= met & true
    categories: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for unit in true:
        for category in labels.true[unit]:
            categories[category][0 if unit in hit else 1] += 1
    for unit in false:
        for category in labels.false[unit]:
            categories[category][2] += 1
    table = {category: (found, missed, wrong) for category, (found, missed, wrong) in categories.items()}
    return Score(len(hit), len(false), len(true - hit), len(unlabelled), table)
