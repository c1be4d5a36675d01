"""A metric as it is declared: its name, kind, labels and meaning. Pages, instruments and both output forms follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from strongroom.telemetry.labels import Vocabulary

PREFIX = "strongroom_"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Kind(StrEnum):
    """How the values of a metric behave."""

    COUNTER = "counter"
    """It only grows while the process lives."""
    GAUGE = "gauge"
    """It goes up and down."""
    HISTOGRAM = "histogram"
    """Observations, counted by size."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label. ``values`` is the closed set of what it can be: an enumeration, or the name of a vocabulary."""

    name: str
    values: type[Enum] | str


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One metric, told from others by being another object, which makes it a quick key.

    ``bounds`` are the upper limits of a histogram's buckets, ascending and without infinity. What ``is_summed`` is read by each process
    of a server of itself, and shown as the sum; it has no labels.

    Raises ValueError where the name breaks the conventions of Prometheus for its kind.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    bounds: tuple[float, ...] = ()
    is_summed: bool = False

    def __post_init__(self) -> None:
        if not self.name.startswith(PREFIX) or not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not lower case words after {PREFIX!r}")
        if self.name.endswith("_total") is not (self.kind is Kind.COUNTER):
            raise ValueError(f"{self.name!r}: counters, and only they, end in _total")
        if bool(self.bounds) is not (self.kind is Kind.HISTOGRAM) or list(self.bounds) != sorted(set(self.bounds)):
            raise ValueError(f"{self.name!r}: histograms, and only they, have ascending bounds")
        if self.is_summed and self.labels:
            raise ValueError(f"{self.name!r} is summed over processes, and so has no labels")
        if any(not _NAME.fullmatch(label.name) or label.name in {"le", "quantile"} for label in self.labels):
            raise ValueError(f"{self.name!r} has a label that is reserved or not in lower case")


Vocabularies = dict[str, Vocabulary]
"""The vocabularies of this server, by the names that declarations use."""
