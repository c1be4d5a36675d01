"""Gathers the candidates of labelled data with the scanner's own engine, and what the judge sees in each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from strongroom.scanner.automaton import load_automaton
from strongroom.scanner.candidate import Candidate, Verdict
from strongroom.scanner.examine import Examiner, Plan
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.generic.catalogue import GENERIC_RULES
from strongroom.scanner.levels import THRESHOLDS, Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.rules.builtin import PROVIDER_RULES
from tools.labelled import Unit

_CONTEXT = 1500
_SHORT, _LONG = 5, 28
_LETTERS = re.compile(rb"[A-Za-z]{3,}")
_NOTHING_BUT_LETTERS = re.compile(rb"[A-Za-z]+")
_MACHINE_MADE = re.compile(rb"[0-9a-fA-F-]+|[A-Z2-7]{16,}")
_MOST_RUNS = 4
_LONGEST_WORD = 9
_SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Gathered:
    """A candidate, and the lines that it stands on."""

    candidate: Candidate
    unit: Unit


class Gatherer:
    """A judge that lets everything pass and remembers it."""

    def __init__(self) -> None:
        self.candidates: list[Candidate] = []

    def judge(self, candidate: Candidate, least: float = 0.0) -> Verdict:
        """A verdict for `candidate`, which is remembered."""
        self.candidates.append(candidate)
        return Verdict(1.0)


def gather(root: Path) -> Iterator[Gathered]:
    """Every candidate in the data of `root`, in the order of the files' names."""
    gatherer = Gatherer()
    problems: list[Problem] = []
    plan = Plan((*PROVIDER_RULES, *GENERIC_RULES), THRESHOLDS[Level.ALL], (), gatherer, 0)
    examiner = Examiner(plan, load_automaton(plan.expressions(), None, print), problems.append)
    for path in sorted(path for path in (root / "data").rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        data = path.read_bytes()
        gatherer.candidates.clear()
        examiner.examine(Fragment(name, data))
        if gatherer.candidates:
            starts = [0, *(found.end() for found in re.finditer(rb"\n", data))]
            for candidate in gatherer.candidates:
                first = bisect_right(starts, candidate.start)
                last = bisect_right(starts, max(candidate.start, candidate.end - 1))
                yield Gathered(candidate, (name, first, last))


def as_people_choose(candidate: Candidate, words: dict[int, list[bytes]], random: Random) -> Candidate | None:
    """`candidate` with a value as people make them up: its letters are words of the same length and capitals, the rest is kept.

    None if its value is not of the kind that people choose: long, without letters, of nothing but letters, or made by a machine. The
    data's true values were drawn at random over whatever they were; without such copies a judge learns that words are no secrets.
    """
    value = candidate.value
    if not _SHORT <= len(value) <= _LONG or _MACHINE_MADE.fullmatch(value) or _NOTHING_BUT_LETTERS.fullmatch(value):
        return None
    if not _LETTERS.search(value) or len(_NOTHING_BUT_LETTERS.findall(value)) > _MOST_RUNS:
        return None
    chosen = _LETTERS.sub(lambda run: _cased(_phrase(len(run[0]), words, random), run[0]), value)
    start = max(0, candidate.start - _CONTEXT)
    before = candidate.data[start : candidate.start]
    data = before + chosen + candidate.data[candidate.end : candidate.end + _CONTEXT]
    end = len(before) + len(chosen)
    return Candidate(candidate.rule, candidate.path, data, len(before), end, candidate.name, candidate.layers)


def _phrase(length: int, words: dict[int, list[bytes]], random: Random) -> bytes:
    """Words of `length` letters together."""
    phrase = b""
    while length:
        size = length if length <= _LONGEST_WORD else random.randint(_SHORTEST_WORD, min(8, length - 3))
        phrase += random.choice(words[size])
        length -= size
    return phrase


def _cased(phrase: bytes, like: bytes) -> bytes:
    """`phrase` with capitals where `like` has them."""
    return bytes(
        letter - 32 if 65 <= model <= 90 and letter >= 97 else letter
        for letter, model in zip(phrase, like, strict=True)
    )
