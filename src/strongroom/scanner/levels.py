"""How sure a scan must be of what it reports."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from strongroom.scanner.rule import Kind, Rule


class Level(Enum):
    """`provider`: formats of providers, and what the judge has no doubt of. `default`: also what the judge is sure of. `all`: also what it doubts."""

    PROVIDER = "provider"
    DEFAULT = "default"
    ALL = "all"


THRESHOLDS = {
    Level.PROVIDER: {Kind.PROVIDER: 0.5, Kind.GENERIC: 0.93},
    Level.DEFAULT: {Kind.PROVIDER: 0.5, Kind.GENERIC: 0.5},
    Level.ALL: {Kind.PROVIDER: 0.1, Kind.GENERIC: 0.1},
}
"""The least score of a candidate that is reported, by level and by kind of its rule."""


def rules_of(level: Level, rules: Iterable[Rule]) -> list[Rule]:
    """The rules that `level` needs at all."""
    return [rule for rule in rules if THRESHOLDS[level][rule.kind] <= 1]
