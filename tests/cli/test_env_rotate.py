from __future__ import annotations

import json

import pytest
from tests.cli.conftest import CommandLine


@pytest.fixture
def line(quick: CommandLine) -> CommandLine:
    """A command line of a server with an environment that is protected."""
    quick.value("write", "sys/environments/guarded", "rank=80", "protected=true", "-reason=for a test")
    return quick


def test_a_key_is_rotated_where_a_reason_is_stated(line: CommandLine) -> None:
    words = ("env", "rotate", "-format=json")
    refused = line(*words, "guarded")
    assert (refused.exit_code, "reason" in refused.err) == (2, True)
    before, after = (json.loads(line.value(*words, "-reason=yearly", name)) for name in ("guarded", "GUARDED"))
    assert (after["id"], after["term"]) == (before["id"], before["term"] + 1)
    assert "Key Term" in line.value("env", "rotate", "-reason=yearly", "guarded")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("nowhere",), 2, "list sys/environments"),
        (("",), 1, "list sys/environments"),
        (("a/b",), 1, "list sys/environments"),
        ((), 1, "Not enough arguments"),
        (("a", "b"), 1, "Too many arguments"),
    ],
)
def test_what_is_no_environment_is_told(line: CommandLine, given: tuple[str, ...], code: int, said: str) -> None:
    done = line("env", "rotate", *given)
    assert (done.exit_code, said in done.err) == (code, True), done.err
