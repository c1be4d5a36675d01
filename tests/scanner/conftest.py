"""A small scanner of its own for tests: rules that are easy to see through, and no cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tests.scanner.command_line import CommandLine

from strongroom.scanner.assembly import Wanted, assemble
from strongroom.scanner.examine import Hit
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.layers import Decoder
from strongroom.scanner.levels import Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.rule import Kind, Rule

TOKEN = Rule("test-token", "Test token", r"\bttt_(?P<secret>[A-Za-z0-9]{20,40})\b", keywords=("ttt_",))
GUESS = Rule(
    "test-guess",
    "Test guess",
    r"(?i)(?P<name>[a-z_]{0,20}password)[\"']?\s{0,8}[=:]\s{0,8}[\"'](?P<secret>[^\"'\r\n]{4,80})[\"']",
    keywords=("password",),
    kind=Kind.GENERIC,
)

Examine = Callable[..., list[Hit]]


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line. All processes of a test run share its compiled rules."""
    return CommandLine(tmp_path_factory.getbasetemp().parent)


@pytest.fixture
def problems() -> list[Problem]:
    return []


@pytest.fixture
def examine(problems: list[Problem]) -> Examine:
    """Examines bytes with the given rules and decoders."""

    def run(data: bytes, rules: Sequence[Rule] = (TOKEN, GUESS), decoders: Sequence[Decoder] = ()) -> list[Hit]:
        scan = assemble(Wanted(rules, decoders, level=Level.ALL), problems, _complain)
        return scan.examiner.examine(Fragment("file.txt", data))

    return run


def _complain(text: str) -> None:
    raise AssertionError(text)
