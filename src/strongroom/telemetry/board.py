"""Memory for numbers that all processes of one server share: each writes a row of its own, and whoever is asked adds them up."""

from __future__ import annotations

import mmap
from dataclasses import dataclass

COLUMNS = 8192
_NUMBER_BYTES = 8


class Board:
    """``rows`` rows of numbers, all 0. Made before the processes part, so that it is the same memory for all of them.

    A number is written whole, so that a reader sees the one before or the one after.
    """

    def __init__(self, rows: int = 1) -> None:
        memory = mmap.mmap(-1, rows * COLUMNS * _NUMBER_BYTES)
        whole = memoryview(memory).cast("d")
        self._rows = [whole[row * COLUMNS : (row + 1) * COLUMNS] for row in range(rows)]

    def row(self, number: int) -> memoryview[float]:
        """The row of one process, which it alone may write to."""
        return self._rows[number]

    def sum(self, column: int) -> float:
        """The numbers of all processes in one column, added up."""
        return float(sum(row[column] for row in self._rows))

    def each(self, column: int) -> list[float]:
        """The numbers of all processes in one column."""
        return [row[column] for row in self._rows]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one process writes: a row of a board."""

    board: Board
    row: int = 0
