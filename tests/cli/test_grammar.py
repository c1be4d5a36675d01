from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.conftest import CommandLine

from strongroom.cli.grammar import expect
from strongroom.cli.options import Duration, Switch, Whole
from strongroom.cli.words import BadUsage, normalise

VALUED = {"-field": "-field", "-key-shares": "-key-shares", "-n": "-key-shares"}
SWITCHES = {"-force": "-force", "-f": "-force"}


def normalised(*words: str, anywhere: bool = True) -> list[str]:
    return normalise(words, VALUED, SWITCHES, anywhere=anywhere)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-field=a", "p"], ["-field=a", "--", "p"]),
        (["--field=a", "p"], ["-field=a", "--", "p"]),
        (["-field", "a", "p"], ["-field=a", "--", "p"]),
        (["p", "-field", "a"], ["-field=a", "--", "p"]),
        (["-n", "3"], ["-key-shares=3", "--"]),
        (["-field=", "p"], ["-field=", "--", "p"]),
        (["-field", "-force"], ["-field=-force", "--"]),
        (["-force", "p"], ["-force=true", "--", "p"]),
        (["-f", "p", "k=-"], ["-force=true", "--", "p", "k=-"]),
        (["-force=false"], ["-force=false", "--"]),
        (["p", "-"], ["--", "p", "-"]),
        (["p", "--", "-field=a"], ["--", "p", "-field=a"]),
        (["-field=a=b"], ["-field=a=b", "--"]),
    ],
    ids=" ".join,
)
def test_flags_are_read_as_vault_reads_them(words: list[str], expected: list[str]) -> None:
    assert normalised(*words) == expected


def test_a_foreign_command_line_is_left_alone() -> None:
    assert normalised("-field=a", "prog", "-field=b", anywhere=False) == ["-field=a", "--", "prog", "-field=b"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-fieldd=a"], "flag provided but not defined: -fieldd. Did you mean -field?"),
        (["--nothing-near"], "flag provided but not defined: -nothing-near"),
        (["-field"], "flag needs an argument: -field"),
    ],
)
def test_a_wrong_flag_is_named_and_its_value_is_not(words: list[str], text: str) -> None:
    with pytest.raises(BadUsage) as caught:
        normalised(*words)
    assert str(caught.value) == text


def test_a_token_is_refused_as_a_flag_and_not_repeated() -> None:
    with pytest.raises(BadUsage) as caught:
        normalised("-token=CANARY")
    assert "STRONGROOM_TOKEN" in str(caught.value)
    assert "CANARY" not in str(caught.value)


@given(positional=st.lists(st.text(min_size=1).filter(lambda word: not word.startswith("-"))))
def test_positional_arguments_arrive_as_they_are(positional: list[str]) -> None:
    assert normalised(*positional) == ["--", *positional]


@pytest.mark.parametrize("kind", [Switch(), Whole(), Duration()], ids=lambda kind: kind.name)
@pytest.mark.parametrize("value", ["CANARY", "²", "1.5x", "-"])
def test_a_value_of_the_wrong_kind_is_not_repeated(kind: click.ParamType[object], value: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        kind.convert(value, click.Option(["-x"]), None)
    assert value not in caught.value.message.replace("-x", "").replace("1h30m", "")


def test_the_number_of_arguments_is_checked() -> None:
    expect(["a"], 1)
    expect(["a", "b"], 1, 3)
    with pytest.raises(click.UsageError, match=r"Not enough arguments \(expected 1, got 0\)"):
        expect([], 1)
    with pytest.raises(click.UsageError, match=r"Too many arguments \(expected 1, got 2\)"):
        expect(["a", "b"], 1)


def test_flags_may_follow_the_arguments(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/grammar", "a=1")
    assert quick("kv", "get", "secret/grammar", "-field=a").out == "1"
    assert quick("kv", "get", "secret/grammar", "--field", "a").out == "1"


@pytest.mark.parametrize(
    "words", [["-h"], ["kv", "--help"], ["kv", "get", "-h"], ["run", "--help"], ["kv", "put", "x", "-help"]]
)
def test_help_is_help_everywhere(quick: CommandLine, words: list[str]) -> None:
    done = quick(*words)
    assert (done.exit_code, done.err) == (0, "")
    assert done.out.startswith("Usage: strongroom")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["kv", "gte", "x"], "Unknown command: strongroom kv gte. Did you mean get?"),
        (["statsu"], "Unknown command: strongroom statsu. Did you mean status?"),
    ],
)
def test_the_nearest_command_is_suggested(quick: CommandLine, words: list[str], text: str) -> None:
    assert quick(*words).err == text + "\n"


def test_every_command_has_help_and_can_be_loaded() -> None:
    from strongroom.cli.main import root

    group = root()
    seen = list(commands(group, click.Context(group, info_name="strongroom", **group.context_settings)))
    assert len(seen) > 60
    assert [path for path, text in seen if not text] == []


def commands(group: click.Group, context: click.Context) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, **command.context_settings)
        found.append((inner.command_path, command.help or ""))
        command.get_help(inner)
        if isinstance(command, click.Group):
            found += commands(command, inner)
    return found
