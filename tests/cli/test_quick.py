"""``run``, ``kv get`` and ``scan dir`` without click read every command line as click does, or leave it to click."""

from __future__ import annotations

from collections.abc import Sequence

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import CommandLine

from strongroom.cli.errors import CommandFailed
from strongroom.cli.flags import Flag, Quick
from strongroom.cli.http_options import http_options, output_options
from strongroom.cli.kv import get as kv_get_command
from strongroom.cli.kv_get import KV_GET
from strongroom.cli.quick import attempt, read
from strongroom.cli.run_command import run as run_command
from strongroom.cli.run_flags import RUN
from strongroom.cli.scan import scan_dir as scan_dir_command
from strongroom.cli.scan_dir import SCAN_DIR
from strongroom.cli.words import COMPLETION_VARIABLE

COMMANDS = {
    "run": (RUN, run_command),
    "kv get": (KV_GET, kv_get_command),
    "scan dir": (SCAN_DIR, scan_dir_command),
}
WITH_CLICK = "import sys\nfrom strongroom.cli.main import main\nsys.exit(main())"
both = pytest.mark.parametrize(("quick", "command"), COMMANDS.values(), ids=COMMANDS)


def flags(quick: Quick) -> list[Flag]:
    """All flags of a command."""
    return [*quick.flags, *(http_options() if quick.is_remote else ()), *output_options(quick.output)]


VALUES = st.sampled_from(
    [
        *(
            "",
            "true",
            "false",
            "T",
            "0",
            "1",
            "-1",
            "12",
            "1.5",
            "²",
            "9" * 19,
            "30s",
            "1h30m",
            "x",
            "a=b",
            "A,B",
            " ",
            "-",
            "--",
        ),
        *("-path", "-h", "--help", "secret/app", "sr://e/p#K", "restart", "signal:HUP", "on", "é", "\n"),
    ]
)
NAMES = st.sampled_from(
    [
        *sorted({name for quick, _ in COMMANDS.values() for flag in flags(quick) for name in flag.names}),
        *("-nope", "-token", "-pat", "-", "---path"),
    ]
)
FLAG_WORDS = st.one_of(
    st.tuples(NAMES, VALUES, st.booleans()).map(lambda given: ["-" * given[2] + f"{given[0]}={given[1]}"]),
    st.tuples(NAMES, VALUES, st.booleans()).map(lambda given: ["-" * given[2] + given[0], given[1]]),
    st.tuples(NAMES, st.booleans()).map(lambda given: ["-" * given[1] + given[0]]),
)
LINES = st.tuples(
    st.lists(FLAG_WORDS, max_size=4).map(lambda parts: [word for part in parts for word in part]),
    st.sampled_from([[], ["--"]]),
    st.lists(VALUES, max_size=3),
).map(lambda parts: [*parts[0], *parts[1], *parts[2]])


def by_click(command: click.Command, words: Sequence[str]) -> tuple[dict[str, object], tuple[str, ...]] | None:
    """What click makes of the words; None where it shows an error or the help."""
    try:
        context = command.make_context("command", list(words))
    except (CommandFailed, click.ClickException, click.exceptions.Exit):
        return None
    values = dict(context.params)
    return values, values.pop("arguments")


@both
@given(LINES)
@settings(max_examples=150)
@example(["-path", "secret/app", "--", "true"])
@example(["-path=a", "--path", "b", "-only", "X", "prog", "-path", "c", "--", "-h"])
@example(["-preserve-env", "-preserve-env=A,B", "-watch", "-fallback=12h", "-mount-max-reads=0", "--"])
@example(["-path", "--", "--", "x"])
@example(["-path", "-h", "x"])
@example(["-known", ".", "-known=env:.env", "-format", "json", "-exclude=a", "-exclude", "b", "-exit-code=0"])
def test_both_read_every_line_alike(quick: Quick, command: click.Command, words: list[str]) -> None:
    wanted, found = by_click(command, words), read(quick, words)
    if found is None:
        is_called_so = wanted is not None and quick.arity in {None, len(wanted[1])}
        assert not is_called_so, "it is left to click without need"
    else:
        assert wanted is not None
        assert (found.values, found.arguments) == wanted
        assert {name: type(value) for name, value in found.values.items()} == {
            name: type(value) for name, value in wanted[0].items()
        }


@both
def test_both_have_the_same_flags_with_the_same_defaults(quick: Quick, command: click.Command) -> None:
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [tuple(one.opts) for one in options] == [flag.names for flag in flags(quick)]
    assert [one.name for one in options] == [flag.key for flag in flags(quick)]
    assert [one.multiple for one in options] == [flag.is_repeated for flag in flags(quick)]
    wanted = by_click(command, [])
    assert wanted is not None
    assert {flag.key: flag.default for flag in flags(quick)} == wanted[0]


def test_a_shell_that_completes_is_answered_by_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPLETION_VARIABLE, "bash_complete")
    assert attempt(["run", "-dry-run"]) is None
    assert attempt(["kv", "get", "secret/app"]) is None


@pytest.mark.parametrize(
    "words",
    [
        ["run", "-h"],
        ["run", "-paht", "secret/quick", "--", "true"],
        ["run", "-path", "secret/quick"],
        ["run", "-path", "secret/none", "--", "true"],
        ["run", "-path", "secret/quick", "--", "no-such-program"],
        ["run", "-path", "secret/quick", "-mount-max-reads=x", "--", "true"],
        ["run", "-path", "secret/quick", "-watch=maybe", "--", "true"],
        ["run", "-path", "secret/quick", "-output-curl-string", "--", "true"],
        ["run", "-path", "secret/quick", "-dry-run", "-format=xml", "--", "true"],
        ["run", "-path", "secret/quick", "-dry-run", "-format=json", "--", "true"],
        ["run", "-path", "secret/quick", "--", "sh", "-c", "echo $A; exit 3"],
        ["run", "--", "true"],
        ["kv", "get", "secret/quick"],
        ["kv", "get", "-field=A", "secret/quick"],
        ["kv", "get", "secret/quick", "-field", "data", "--format", "json", "-version=0"],
        ["kv", "get", "secret/quick", "-version=x"],
        ["kv", "get", "secret/none"],
        ["kv", "get", "secret/quick", "two"],
        ["kv", "get", "secret/quick", "-h"],
        ["kv", "get"],
        ["kv", "get", "-output-curl-string", "secret/quick"],
        ["kv", "get", "-output-policy", "secret/quick"],
        ["scan", "dir", "-h"],
        ["scan", "dir", "no-such-folder"],
        ["scan", "dir", "-level=none", "."],
        ["scan", "dir", "-jobs=x"],
        ["scan", "dir", *["x"] * 1001],
    ],
    ids=lambda words: " ".join(words)[:60],
)
def test_a_person_sees_the_same(ours: CommandLine, quick: CommandLine, words: list[str]) -> None:
    quick.value("kv", "put", "secret/quick", "A=1")
    # In this process the command line begins where click reads it; what would take its place must not.
    slowly = quick if "sh" not in words else CommandLine((ours.program[0], "-c", WITH_CLICK), ours.environ)
    assert ours(*words) == slowly(*words)
