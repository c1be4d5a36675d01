"""JSON, JSON lines and CSV: one object or row for each occurrence."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from strongroom.scanner.reports.masking import printable
from strongroom.scanner.reports.report import Report, row

_COLUMNS = (
    "file",
    "line",
    "end_line",
    "rule",
    "title",
    "severity",
    "provider",
    "score",
    "fingerprint",
    "masked",
    "commit",
    "author",
    "author_date",
    "in_head",
    "verification",
    "reasons",
    "layers",
)
_FORMULA = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a cell a formula to a spreadsheet; to some also in the width of ideographs."""


def json_lines(report: Report) -> Iterator[str]:
    """One object a line."""
    for finding, occurrence in report.places():
        yield json.dumps(row(report, finding, occurrence)) + "\n"


def json_array(report: Report) -> Iterator[str]:
    """An array of the same objects, one a line."""
    separator = "[\n"
    for finding, occurrence in report.places():
        yield separator + json.dumps(row(report, finding, occurrence))
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def csv_table(report: Report) -> Iterator[str]:
    """A table with a head. No cell is a formula to a spreadsheet: what would be one begins with an apostrophe."""
    columns = (*_COLUMNS, "value") if report.reveal else _COLUMNS
    yield _csv_line(columns)
    for finding, occurrence in report.places():
        values = row(report, finding, occurrence)
        yield _csv_line([_cell(values[column]) for column in columns])


def _cell(value: object) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    text = printable(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: object) -> str:
    line = io.StringIO()
    # All in quotes: where spreadsheets part cells at semicolons, no name of a file begins another cell.
    csv.writer(line, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow(cells)  # type: ignore[arg-type]  # any iterable of texts
    return line.getvalue()
