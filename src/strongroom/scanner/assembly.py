"""Puts a scan together from what there is: rules and decoders, the judge, the automaton from the cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from strongroom.scanner.automaton import Automaton, load_automaton
from strongroom.scanner.candidate import Judge
from strongroom.scanner.examine import Examiner, Plan
from strongroom.scanner.expressions import Expression
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.known.rule import KNOWN_VALUE
from strongroom.scanner.known.values import KnownValues
from strongroom.scanner.late_judge import LateJudge
from strongroom.scanner.layers import MAX_DEPTH, Decoder
from strongroom.scanner.levels import THRESHOLDS, Level, rules_of
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.rule import Rule
from strongroom.scanner.scan import Scan

Opens = Callable[[Fragment, Report], Iterator[Fragment]]
"""A fragment as the fragments that are scanned: itself, and what is inside of it. What cannot be opened is reported."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks of a scan. `cache` is where the automaton is kept (None: nowhere)."""

    rules: Sequence[Rule]
    decoders: Sequence[Decoder] = ()
    judge: Judge | None = None
    opens: Opens | None = None
    level: Level = Level.DEFAULT
    max_depth: int = MAX_DEPTH
    jobs: int = 1
    cache: Path | None = None
    known: KnownValues | None = None
    """Who tells which values are ours, where that is asked."""


def assemble(wanted: Wanted, problems: list[Problem], note: Callable[[str], None]) -> Scan:
    """The scan that is `wanted`. It and its source append to `problems`; `note` hears of what makes it slow."""
    plan = Plan(
        rules_of(wanted.level, wanted.rules),
        THRESHOLDS[wanted.level],
        wanted.decoders if wanted.max_depth else (),
        wanted.judge,
        wanted.max_depth,
    )
    automaton = _automaton(plan.expressions(), wanted.cache, note)
    opens = wanted.opens or alone
    if wanted.known is None:
        examiner = Examiner(plan, automaton, problems.append)
    else:
        from strongroom.scanner.known.finder import KnownFinder

        finder = KnownFinder(wanted.known, len(plan.rules), problems.append)
        examiner = Examiner(plan, automaton, problems.append, finder, (KNOWN_VALUE,))
    return Scan(examiner, lambda fragment: opens(fragment, problems.append), problems, wanted.jobs)


def builtin_wanted(
    rules: Sequence[Rule], level: Level, depth: int, jobs: int, cache: Path | None, root: str = ""
) -> Wanted:
    """A scan with all that comes with Strongroom: `rules` and their judge, decoders, containers. Paths begin with `root`."""
    from strongroom.scanner.containers import Limits, expand
    from strongroom.scanner.decoding import DECODERS

    limits = Limits()
    return Wanted(
        rules,
        DECODERS,
        LateJudge(lambda: _standard_judge(root)),
        opens=lambda fragment, report: expand(fragment, limits, report),
        level=level,
        max_depth=depth,
        jobs=jobs,
        cache=cache,
    )


def _standard_judge(root: str) -> Judge:
    from strongroom.scanner.scorer.judge import standard_judge

    return standard_judge(root)


def alone(fragment: Fragment, _report: Report) -> Iterator[Fragment]:
    """A fragment that nothing is unpacked from."""
    yield fragment


def default_jobs() -> int:
    """As many processes as this process may use processors."""
    return len(os.sched_getaffinity(0))


def _automaton(expressions: Sequence[Expression], cache: Path | None, note: Callable[[str], None]) -> Automaton:
    return load_automaton(expressions, cache, note)
