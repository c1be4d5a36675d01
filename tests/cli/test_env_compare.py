from __future__ import annotations

import json

import pytest
from tests.cli.conftest import CommandLine


@pytest.fixture
def line(quick: CommandLine) -> CommandLine:
    """A command line of a server with two environments."""
    for rank, name in ((0, "one"), (10, "two")):
        quick("secrets", "enable", f"-path=env-{name}", "-version=2", "kv")
        quick.value("write", f"sys/environments/{name}", f"rank={rank}", f"mounts=env-{name}")
    quick.value("kv", "put", "-mount=env-one", "app", "url=https://one.example", "level=info", "extra=of one alone")
    quick.value("kv", "put", "-mount=env-two", "app", "url=https://two.example", "level=info")
    return quick


def test_the_matrix_is_a_table_in_words(line: CommandLine) -> None:
    assert line.value("env", "matrix", "-env=one", "-env=two").splitlines() == [
        "Key          one            two",
        "---          ---            ---",
        "app#extra    set            missing",
        "app#level    same as two    same as one",
        "app#url      set            set",
    ]


def test_a_difference_is_an_exit_code_where_that_is_asked_for(line: CommandLine) -> None:
    assert "app#url" in line.value("env", "diff", "two", "one")
    assert line("env", "diff", "-exit-code", "two", "one").exit_code == 3
    assert line("env", "missing", "-exit-code", "-env=one", "-env=two", "no/such").exit_code == 0
    assert line("env", "diff", "one", "one").exit_code == 1
    assert line("env", "diff", "one", "nowhere").exit_code == 2


def test_missing_and_reuse_answer_json(line: CommandLine) -> None:
    found = json.loads(line.value("env", "missing", "-format=json", "-env=one", "-env=two"))
    assert [(row["path"], row["key"], row["cells"]["two"]["state"]) for row in found["rows"]] == [
        ("app", "extra", "missing")
    ]
    assert json.loads(line.value("env", "reuse", "-format=json")) == []
