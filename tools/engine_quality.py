"""Runs the whole engine over labelled data, with decoders and containers, each repository under a judge that never saw it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from strongroom.scanner.automaton import load_automaton
from strongroom.scanner.candidate import Judge
from strongroom.scanner.catalogue import ALL_RULES
from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.examine import Examiner, Plan
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.levels import THRESHOLDS, Level
from strongroom.scanner.problem import Problem
from tools.labelled import Unit


class Engine:
    """The scanner as the command line has it, over the data in `root`. The judge sees paths within their repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        plan = Plan(ALL_RULES, THRESHOLDS[Level.ALL], DECODERS)
        self._automaton = load_automaton(plan.expressions(), None, print)

    def units(self, judges: Mapping[frozenset[str], Judge], level: Level) -> list[Unit]:
        """What is reported at `level`, where each set of repositories has its judge."""
        return [unit for repositories, judge in judges.items() for unit in self._of(repositories, judge, level)]

    def _of(self, repositories: frozenset[str], judge: Judge, level: Level) -> Iterator[Unit]:
        problems: list[Problem] = []
        examiner = Examiner(Plan(ALL_RULES, THRESHOLDS[level], DECODERS, judge), self._automaton, problems.append)
        for repository in sorted(repositories):
            folder = self._root / "data" / repository
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                given = Fragment(path.relative_to(folder).as_posix(), path.read_bytes())
                for fragment in expand(given, Limits(), problems.append):
                    for hit in examiner.examine(fragment):
                        yield f"data/{repository}/{hit.path}", hit.line, hit.end_line
