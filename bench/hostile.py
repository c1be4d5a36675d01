"""Bytes that are made to cost the scanner much, and whether they cost more than in proportion to their length. Work is counted, not timed.

Counted are: searches and bytes of the exact stage, events of the wide stage, bytes that decoders were given and made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from strongroom.scanner.assembly import Wanted, assemble
from strongroom.scanner.automaton import Automaton
from strongroom.scanner.beginnings import beginnings
from strongroom.scanner.catalogue import ALL_RULES
from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.examine import Examiner
from strongroom.scanner.expressions import Events
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.levels import Level
from strongroom.scanner.rule import Rule

SIZE = 16 * 1024
MOST_GROWTH = 2.5
"""Times as much work that twice as many bytes may take: what grows with the square takes four times as much."""
_FREE = 200_000
"""Work that does not count: what one event costs at the border of two sizes."""
NEAR_MISSES = (b"", b"a", b"0", b"=", b'="', b': "', b"A" * 30, b"\n", b"\\", b"%41", b" = 'a", b"(", b"//", b"-" * 9)
RUNS = (
    b"A", b"a", b"0", b"-", b" ", b'"', b"'", b"`", b"=", b"\n", b"\\", b"%", b"&", b"\0", b"\xe2\x80\x9c", b"a.", b"a:", b"://", b"{[(", b"%41%",
    b"\\u0041", b"&#65;", b"\\x41\\x42", b"QUFB", b"4a4b", b'"a" + ', b"a\\\n", b"ab\n ", b"=41\n", b"65, ", b"41 42 ", b"A\0", b"A\0\0\0", b"x\x9c", b"H4sI",
    b"eyJ", b"-----BEGIN PRIVATE KEY-----\n", b'password="', b"password=a", b"key: token: secret: ", b"https://a:",
)  # fmt: skip


class _Counting:
    """An automaton that counts its input and its events."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self.work = 0

    def scan(self, data: bytes) -> Events:
        events = self._automaton.scan(data)
        self.work += len(data) + 256 * len(events)
        return events

    def scan_together(self, many: Sequence[bytes]) -> list[Events]:
        return [self.scan(data) for data in many]


class Work(NamedTuple):
    """What an examination cost: in searches and in bytes."""

    searches: int
    searched_bytes: int
    scanned: int


def worker() -> Examiner:
    """An examiner with everything that comes with Strongroom, and no judge: every match counts."""
    return assemble(Wanted(ALL_RULES, DECODERS, level=Level.ALL), [], lambda _: None).examiner


def work_for(examiner: Examiner, data: bytes) -> Work:
    """What examining `data` costs."""
    confirmer = examiner.confirmer
    automaton = examiner.automaton
    counting = _Counting(automaton)
    before = confirmer.searches, confirmer.searched_bytes
    examiner.automaton = counting
    try:
        examiner.examine(Fragment("hostile.txt", data))
    finally:
        examiner.automaton = automaton
    return Work(confirmer.searches - before[0], confirmer.searched_bytes - before[1], counting.work)


def units_for(rule: Rule) -> Iterator[bytes]:
    """What is repeated against `rule`: its words by themselves, and with all of what nearly makes a match of them."""
    for word in dict.fromkeys([*rule.keywords[:1], *beginnings(rule.pattern)[:1]]):
        yield word.encode()
        yield b"".join(word.encode() + rest for rest in NEAR_MISSES)


def is_worse_than_linear(examiner: Examiner, unit: bytes, size: int = SIZE) -> bool:
    """Whether twice as much of `unit` costs more than twice as much work."""
    once, twice = (work_for(examiner, unit * (length // len(unit))) for length in (size, 2 * size))
    return any(more > MOST_GROWTH * less + _FREE for less, more in zip(once, twice, strict=True))


def worse_than_linear(rules: Sequence[Rule] = ALL_RULES) -> tuple[int, list[str]]:
    """How many inputs were tried, and which of them cost more than linear work."""
    examiner = worker()
    units = dict.fromkeys([*RUNS, *(unit for rule in rules for unit in units_for(rule))])
    return len(units), [repr(unit) for unit in units if is_worse_than_linear(examiner, unit)]
