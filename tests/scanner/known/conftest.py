"""Values that are ours, and a scan that looks for them and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from strongroom.scanner.automaton import Automaton, load_automaton
from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.examine import Examiner, Hit, Plan
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.known.finder import KnownFinder
from strongroom.scanner.known.held import Held
from strongroom.scanner.known.local import LocalValues
from strongroom.scanner.known.rule import KNOWN_VALUE
from strongroom.scanner.known.values import Holder, KnownValues
from strongroom.scanner.problem import Problem

PLAN = Plan((), {}, DECODERS)
Look = Callable[[KnownValues, bytes], list[Hit]]


def held(*values: bytes) -> list[Held]:
    """Values, each as the current version of a secret of its own."""
    return [Held(Holder(f"secret/app{number}", "PASSWORD", 1, True), value) for number, value in enumerate(values, 1)]


def local(*values: bytes) -> LocalValues:
    return LocalValues(held(*values))


@pytest.fixture
def problems() -> list[Problem]:
    return []


@pytest.fixture(scope="session")
def automaton() -> Automaton:
    """The decoders' gates, compiled once."""
    return load_automaton(PLAN.expressions(), None, _complain)


@pytest.fixture(scope="session")
def scan_for(automaton: Automaton) -> Look:
    """Every hit in a file, as the scanner finds them: with its decoders, and without any other rule."""

    def look(known: KnownValues, data: bytes) -> list[Hit]:
        problems: list[Problem] = []
        finder = KnownFinder(known, 0, problems.append)
        examiner = Examiner(PLAN, automaton, problems.append, finder, (KNOWN_VALUE,))
        hits = examiner.examine(Fragment("file.txt", data)) + examiner.finish()
        assert problems == []
        return hits

    return look


def said(hits: Sequence[Hit]) -> set[str]:
    """The places that hits name."""
    return {reason for hit in hits for reason in hit.reasons}


def _complain(text: str) -> None:
    raise AssertionError(text)
