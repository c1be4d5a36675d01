"""Runs a whole scan with one rule, and says where it found which token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from strongroom.scanner.assembly import Opens, Wanted, assemble
from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.decoding import DECODERS
from strongroom.scanner.examine import Hit
from strongroom.scanner.fragment import Fragment, Share, Source
from strongroom.scanner.levels import Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.rule import Rule

TOKEN_RULE = Rule(
    "github-like", "Token", r"\b(?P<secret>ghp_[A-Za-z0-9]{36})\b", keywords=("ghp_",), checksum=None, reach=64
)


@dataclass
class Search:
    """What a scan found, and what it complained of."""

    hits: list[Hit] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def hit(self, hit: Hit) -> None:
        self.hits.append(hit)

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def progress(self, fragments: int, size: int) -> None:
        pass

    def places(self, token: bytes) -> set[tuple[str, int]]:
        """Where the token stands: path and line."""
        return {(hit.path, hit.line) for hit in self.hits if hit.value == token}


def search(source: Source, problems: list[Problem], limits: Limits | None = None) -> Search:
    """Scans `source` in this process."""
    found = Search()
    bounds = limits or Limits()
    opens: Opens = lambda fragment, report: expand(fragment, bounds, report)  # noqa: E731 -- it names its type
    wanted = Wanted((TOKEN_RULE,), DECODERS, opens=opens, level=Level.ALL)
    assemble(wanted, problems, found_slow).run(source, found)
    return found


def found_slow(text: str) -> None:
    raise AssertionError(text)


class Given:
    """A source of fragments that are at hand."""

    def __init__(self, *fragments: Fragment) -> None:
        self._given = fragments

    def fragments(self, share: Share) -> Iterator[Fragment]:
        return share.claim(self._given)


def line_of(data: bytes, token: bytes) -> int:
    """The line on which `token` stands in `data`."""
    found = re.search(re.escape(token), data)
    assert found
    return data.count(b"\n", 0, found.start()) + 1
