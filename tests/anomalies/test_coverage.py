"""Every row of the table of flaws is a test here, or stands in the README as one that waits for its component."""

from __future__ import annotations

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent
ROWS = {
    *(1, 2, 4, 5, 7, 8, 10, 11),
    *(13, 14, 16, 17),
    *(19, 20, 22, 23, 25, 26, 28, 29, 31),
    *(32, 34, 35, 37, 38, 40, 41, 43, 44, 46, 47),
    *(49, 50, 52, 53, 55, 56, 58, 59, 61, 62),
    *(64, 65, 67, 68, 70, 71, 73, 74, 76, 77),
    *(79, 80, 82, 83, 85, 86, 88, 89),
    *(91, 92, 94, 95, 97, 98, 100, 101, 103, 104),
    *(106, 107, 109, 110, 112, 113),
    *(115, 116, 118, 119, 121),
    *(122, 124, 125),
}
"""The rows of the parts A1 to A11 of the table."""


def rows_with_tests() -> set[int]:
    names = {
        node.name
        for path in FOLDER.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    return {int(row) for name in names if name.startswith("test_row_") for row in re.findall(r"(?<=row_)\d{3}", name)}


def postponed() -> set[int]:
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    return {int(found[1]) for line in lines if (found := re.fullmatch(r"\| (\d+) \| \S.* \|", line))}


def test_every_row_is_tested_or_waits_for_its_component() -> None:
    assert rows_with_tests() | postponed() == ROWS


def test_no_row_waits_that_is_tested_already() -> None:
    assert rows_with_tests() & postponed() == set()
