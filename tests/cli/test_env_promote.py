from __future__ import annotations

import json

import pytest
from tests.cli.conftest import CommandLine


@pytest.fixture
def line(quick: CommandLine) -> CommandLine:
    """A command line of a server with two environments."""
    for rank, name in ((20, "low"), (30, "high")):
        quick("secrets", "enable", f"-path=env-{name}", "-version=2", "kv")
        quick.value("write", f"sys/environments/{name}", f"rank={rank}", f"mounts=env-{name}")
    quick("kv", "metadata", "delete", "-mount=env-high", "app")
    quick.value("kv", "put", "-mount=env-low", "app", "level=info", "password=a long value of low")
    return quick


def test_what_would_happen_is_shown_and_nothing_happens_without_a_yes(line: CommandLine) -> None:
    words = ("env", "promote", "-from=low", "-to=high")
    done = line(*words, "-dry-run", "app#level")
    assert (done.exit_code, done.out.splitlines()[-1]) == (0, "app#level    add a copy")
    assert line(*words, "app#level").exit_code == 1
    assert line("kv", "get", "env-high/app").exit_code == 2


def test_a_refused_value_is_named_with_what_to_do_and_can_be_generated(line: CommandLine) -> None:
    words = ("env", "promote", "-from=low", "-to=high", "-yes")
    refused = line(*words, "app")
    assert refused.exit_code == 1
    assert "-generate=password=password" in refused.err
    assert "a long value" not in refused.out + refused.err
    shown = line.value(*words, "-generate=password=hex:16", "app")
    assert "generate a value" in shown
    found = json.loads(line.value("kv", "get", "-format=json", "env-high/app"))["data"]["data"]
    assert (found["level"], len(found["password"])) == ("info", 32)
    assert found["password"] not in shown
    again = line(*words, "app#level")
    assert (again.exit_code, "nothing to promote" in again.err) == (1, True)


def test_downward_and_half_a_command_are_refused(line: CommandLine) -> None:
    assert "upward only" in line("env", "promote", "-from=high", "-to=low", "-yes", "app").err
    assert line("env", "promote", "-from=low", "app").exit_code == 1


@pytest.mark.parametrize("asked", ["", "app#", "#", "#level"])
def test_an_empty_name_does_not_mean_everything(line: CommandLine, asked: str) -> None:
    done = line("env", "promote", "-from=low", "-to=high", "-yes", asked)
    assert (done.exit_code, "name a secret or a folder" in done.err) == (1, True)
    assert line("kv", "get", "env-high/app").exit_code == 2


def test_a_slash_means_all_of_the_environment(line: CommandLine) -> None:
    assert "app#level" in line("env", "promote", "-from=low", "-to=high", "-dry-run", "/").out
