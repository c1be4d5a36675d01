"""Problems of git objects, by where these stand: an id says nothing to who is to look into it, nor whether it is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from strongroom.scanner.findings import Place
from strongroom.scanner.problem import Problem

_BLOB = re.compile(r"<blob ([0-9a-f]{12})>(.*)", re.DOTALL)


def unplaced(problems: Iterable[Problem]) -> set[str]:
    """The beginnings of the ids of the objects that problems name."""
    return {found[1] for problem in problems if (found := _BLOB.fullmatch(problem.path))}


def placed(
    problems: Iterable[Problem], places: Mapping[str, Sequence[Place]], is_left_out: Callable[[str], bool]
) -> list[Problem]:
    """The same problems at the paths where their objects stand. What stands at none that is to be scanned is a note."""
    by_beginning = {name[:12]: found for name, found in places.items()}
    return [_placed(problem, by_beginning, is_left_out) for problem in problems]


def _placed(problem: Problem, places: Mapping[str, Sequence[Place]], is_left_out: Callable[[str], bool]) -> Problem:
    found = _BLOB.fullmatch(problem.path)
    paths = [place.path for place in places.get(found[1], ())] if found else []
    if found is None or not paths:
        return problem
    wanted = [path for path in paths if not is_left_out(path)]
    return replace(problem, path=f"{(wanted or paths)[0]}{found[2]}", is_note=problem.is_note or not wanted)
