"""Names that would steer a terminal, in tables."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import CommandLine

from strongroom.cli import tables

NAME = "a\x1b[31m\nb\u202ec"
SHOWN = "a\\x1b[31m\\nb\\u202ec"


def test_names_in_tables_are_written_out_and_values_are_as_they_are() -> None:
    assert NAME not in tables.keys([NAME, "plain"])
    assert SHOWN in tables.keys([NAME, "plain"])
    assert SHOWN in tables.headed(("Path", "State"), [("x", NAME), (NAME, "y")])
    assert NAME not in tables.headed(("Path", "State"), [("x", NAME), (NAME, "y")])
    table = tables.key_values([(NAME, "of\nlines")])
    assert SHOWN in table
    assert "of\nlines" in table
    assert len({line.index("Value") for line in table.splitlines()[:1]}) == 1


@pytest.mark.parametrize("words", [("kv", "get"), ("kv", "metadata", "get")])
def test_a_key_that_would_steer_the_terminal_is_shown_and_not_obeyed(ours: CommandLine, words: tuple[str, ...]) -> None:
    name = "k\x1b[2Jx"
    ours("kv", "put", "secret/steering", "-", stdin=json.dumps({name: "v"}))
    ours("kv", "metadata", "put", f"-custom-metadata={name}=v", "secret/steering")
    table = ours(*words, "secret/steering").out
    assert "\x1b" not in table
    assert json.loads(ours(*words, "-format=json", "secret/steering").out)["data"]
