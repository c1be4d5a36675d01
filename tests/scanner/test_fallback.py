"""Without Hyperscan: slower, told once, and the same findings."""

from __future__ import annotations

import sys

import pytest
from tests.scanner.conftest import GUESS, TOKEN

from strongroom.scanner.assembly import Wanted, assemble
from strongroom.scanner.examine import Hit
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.levels import Level

TEXT = b"a ttt_" + b"aB3dE6gH9j" * 3 + b"\npassword = \"hunter22\"\nPASSWORD: 'x y z 1'\n" + b"filler " * 1000


def hits(notes: list[str]) -> list[Hit]:
    scan = assemble(Wanted((TOKEN, GUESS), level=Level.ALL), [], notes.append)
    return scan.examiner.examine(Fragment("file.txt", TEXT))


def test_the_fallback_finds_what_the_automaton_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet: list[str] = []
    expected = hits(quiet)
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    notes: list[str] = []

    assert hits(notes) == expected
    assert len(expected) == 3
    assert quiet == []
    assert len(notes) == 1
    assert "pip install" in notes[0]
