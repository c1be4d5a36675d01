"""What holds the numbers: counters and histograms that are written to, and readings that are taken when somebody asks.

Writing is made for batches: one call and one lock for many requests. Every combination of labels has its place from the start, because
the sets of labels are closed. Safe to use from several threads.
"""

from __future__ import annotations

import itertools
import math
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from strongroom.telemetry.board import COLUMNS, Board, Place
from strongroom.telemetry.catalog import CATALOG
from strongroom.telemetry.declaration import Declaration, Kind, Label, Vocabularies
from strongroom.telemetry.labels import LabelValue, Vocabulary, Word

Labels = tuple[LabelValue, ...]

_COUNT, _TOTAL, _SQUARES, _LEAST, _MOST, _BUCKETS = range(6)
"""Where the numbers of a histogram stand, from its first column on; the buckets come last."""

_PID_COLUMN: Final = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """The observations of a histogram with the same labels. ``buckets`` are not cumulative; the last one is beyond all bounds."""

    buckets: tuple[int, ...]
    count: int
    total: float
    squares: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its values as they are now: numbers by labels, or cells by labels for a histogram."""

    declaration: Declaration
    numbers: Mapping[Labels, float] = field(default_factory=dict)
    cells: Mapping[Labels, Cell] = field(default_factory=dict)


Reading = Callable[[], "float | Mapping[Labels, float] | None"]
"""Says what a metric is right now: a number, numbers by labels, or None where there is nothing to say."""


class Telemetry:
    """All metrics of one server, as one of its processes writes them; read, they are those of all processes together.

    ``vocabularies`` closes the sets of labels that are no enumerations; ``place`` is the process's own, and ``pid`` its number.
    """

    def __init__(self, vocabularies: Mapping[str, Vocabulary], place: Place | None = None, pid: int = 0) -> None:
        self.vocabularies: Vocabularies = dict(vocabularies)
        place = place or Place(Board())
        self._board = place.board
        self._row = place.board.row(place.row)
        self._row[_PID_COLUMN] = float(pid)
        self._lock = threading.Lock()
        self._columns: dict[Declaration, dict[Labels, int]] = {}
        self._readings: dict[Declaration, Reading] = {}
        column = _PID_COLUMN + 1
        for declaration in CATALOG:
            if declaration.kind is Kind.GAUGE and not declaration.is_summed:
                continue
            width = _BUCKETS + len(declaration.bounds) + 1 if declaration.kind is Kind.HISTOGRAM else 1
            columns = self._columns[declaration] = {}
            for labels in itertools.product(*(self._values(label) for label in declaration.labels)):
                columns[labels] = column
                column += width
        if column > COLUMNS:
            raise ValueError("there are more metrics than the board has columns")

    def word(self, vocabulary: str, text: str) -> Word:
        """The word for ``text`` in a vocabulary of this server."""
        return self.vocabularies[vocabulary].of(text)

    @property
    def pids(self) -> list[int]:
        """The processes of this server that have begun to count."""
        return [int(pid) for pid in self._board.each(_PID_COLUMN) if pid]

    def add(self, counter: Declaration, *labels: LabelValue, count: float = 1) -> None:
        """Count ``count`` more. Raises ValueError where a label is not from its closed set."""
        self.add_all(counter, ((labels, count),))

    def add_all(self, counter: Declaration, counts: Iterable[tuple[Labels, float]]) -> None:
        """Count many at once."""
        columns, row = self._columns[counter], self._row
        with self._lock:
            for labels, count in counts:
                column = columns.get(labels)
                if column is None:
                    raise ValueError(f"the labels of {counter.name} are not from their closed sets")
                row[column] += count

    def observe(self, histogram: Declaration, value: float, *labels: LabelValue, times: int = 1) -> None:
        """Note ``value``, which was seen ``times`` times. Raises ValueError where a label is not from its closed set."""
        first, row = self._columns[histogram].get(labels), self._row
        if first is None:
            raise ValueError(f"the labels of {histogram.name} are not from their closed sets")
        with self._lock:
            is_first = not row[first + _COUNT]
            row[first + _LEAST] = value if is_first else min(row[first + _LEAST], value)
            row[first + _MOST] = value if is_first else max(row[first + _MOST], value)
            row[first + _COUNT] += times
            row[first + _TOTAL] += value * times
            row[first + _SQUARES] += value * value * times
            row[first + _BUCKETS + bisect_left(histogram.bounds, value)] += times

    def read_from(self, declaration: Declaration, reading: Reading) -> None:
        """From now on ``declaration`` is what ``reading`` says whenever somebody asks. It must be quick and must not wait."""
        if declaration.kind is Kind.HISTOGRAM:
            raise ValueError("a histogram is observed, not read")
        self._readings[declaration] = reading

    def publish(self) -> None:
        """Show the others what this process reads of itself: to be called about once a second, and before somebody is answered."""
        for declaration, reading in self._readings.items():
            value = reading() if declaration.is_summed else None
            if isinstance(value, int | float):
                self._row[self._columns[declaration][()]] = value

    @property
    def unread(self) -> tuple[Declaration, ...]:
        """Gauges that nothing reads, which a server that runs has none of."""
        return tuple(one for one in CATALOG if one.kind is Kind.GAUGE and one not in self._readings)

    def families(self) -> list[Family]:
        """Everything as it is now, in the order of the catalog. What never happened and what nobody can say is left out.

        What other processes read of themselves is as old as their last ``publish``.
        """
        self.publish()
        return [family for declaration in CATALOG if (family := self._family(declaration)) is not None]

    def _family(self, declaration: Declaration) -> Family | None:
        reading = self._readings.get(declaration)
        if reading is not None and not declaration.is_summed:
            return self._read(declaration, reading)
        columns = self._columns.get(declaration)
        if columns is None or (reading is None and declaration.kind is Kind.GAUGE):
            return None
        if declaration.kind is Kind.HISTOGRAM:
            cells = {
                labels: cell for labels, first in columns.items() if (cell := self._cell(declaration, first)).count
            }
            return Family(declaration, cells=cells) if cells else None
        sums = {labels: self._board.sum(column) for labels, column in columns.items()}
        numbers = {labels: number for labels, number in sums.items() if number or not labels}
        return Family(declaration, numbers) if numbers else None

    def _cell(self, declaration: Declaration, first: int) -> Cell:
        board = self._board
        counts = board.each(first + _COUNT)
        least = (number for number, count in zip(board.each(first + _LEAST), counts, strict=True) if count)
        most = (number for number, count in zip(board.each(first + _MOST), counts, strict=True) if count)
        buckets = range(first + _BUCKETS, first + _BUCKETS + len(declaration.bounds) + 1)
        return Cell(
            buckets=tuple(int(board.sum(column)) for column in buckets),
            count=int(sum(counts)),
            total=board.sum(first + _TOTAL),
            squares=board.sum(first + _SQUARES),
            least=min(least, default=math.inf),
            most=max(most, default=-math.inf),
        )

    def _read(self, declaration: Declaration, reading: Reading) -> Family | None:
        # Not under the lock: a reading may ask the rest of the server, which may be counting.
        value = reading()
        if value is None:
            return None
        numbers: Mapping[Labels, float] = value if isinstance(value, Mapping) else {(): value}
        known = set(itertools.product(*(self._values(label) for label in declaration.labels)))
        if not known.issuperset(numbers):
            raise ValueError(f"the labels of {declaration.name} are not from their closed sets")
        return Family(declaration, numbers)

    def _values(self, label: Label) -> list[LabelValue]:
        if isinstance(label.values, str):
            return list(self.vocabularies[label.values].words)
        return list(label.values)
