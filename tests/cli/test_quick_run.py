"""``run`` without click reads every command line as click does, or leaves it to click."""

from __future__ import annotations

from collections.abc import Sequence

import click
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import CommandLine

from strongroom.cli.errors import CommandFailed
from strongroom.cli.http_options import http_options, output_options
from strongroom.cli.quick_run import attempt, read
from strongroom.cli.run_command import run as command
from strongroom.cli.run_flags import OUTPUT, RUN_FLAGS
from strongroom.cli.words import COMPLETION_VARIABLE

FLAGS = [*RUN_FLAGS, *http_options(), *output_options(OUTPUT)]
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
NAMES = st.sampled_from([name for flag in FLAGS for name in flag.names] + ["-nope", "-token", "-pat", "-", "---path"])
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


def by_click(words: Sequence[str]) -> tuple[dict[str, object], tuple[str, ...]] | None:
    """What click makes of the words; None where it shows an error or the help."""
    try:
        context = command.make_context("run", list(words))
    except (CommandFailed, click.ClickException, click.exceptions.Exit):
        return None
    values = dict(context.params)
    return values, values.pop("arguments")


@given(LINES)
@settings(max_examples=400)
@example(["-path", "secret/app", "--", "true"])
@example(["-path=a", "--path", "b", "-only", "X", "prog", "-path", "c", "--", "-h"])
@example(["-preserve-env", "-preserve-env=A,B", "-watch", "-fallback=12h", "-mount-max-reads=0", "--"])
@example(["-path", "--", "--", "x"])
@example(["-path", "-h", "x"])
def test_both_read_every_line_alike(words: list[str]) -> None:
    wanted, found = by_click(words), read(words)
    if found is None:
        assert wanted is None, "it is left to click without need"
    else:
        assert wanted is not None
        assert (found.values, found.arguments) == wanted
        assert {name: type(value) for name, value in found.values.items()} == {
            name: type(value) for name, value in wanted[0].items()
        }


def test_both_have_the_same_flags_with_the_same_defaults() -> None:
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [tuple(one.opts) for one in options] == [flag.names for flag in FLAGS]
    assert [one.name for one in options] == [flag.key for flag in FLAGS]
    assert [one.multiple for one in options] == [flag.is_repeated for flag in FLAGS]
    wanted = by_click([])
    assert wanted is not None
    assert {flag.key: flag.default for flag in FLAGS} == wanted[0]


def test_a_shell_that_completes_is_answered_by_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPLETION_VARIABLE, "bash_complete")
    assert attempt(["-dry-run"]) is None


@pytest.mark.parametrize(
    "words",
    [
        ["-h"],
        ["-paht", "secret/quick", "--", "true"],
        ["-path", "secret/quick"],
        ["-path", "secret/none", "--", "true"],
        ["-path", "secret/quick", "--", "no-such-program"],
        ["-path", "secret/quick", "-mount-max-reads=x", "--", "true"],
        ["-path", "secret/quick", "-watch=maybe", "--", "true"],
        ["-path", "secret/quick", "-output-curl-string", "--", "true"],
        ["-path", "secret/quick", "-dry-run", "-format=xml", "--", "true"],
        ["-path", "secret/quick", "-dry-run", "-format=json", "--", "true"],
        ["-path", "secret/quick", "--", "sh", "-c", "echo $A; exit 3"],
        ["--", "true"],
    ],
    ids=" ".join,
)
def test_a_person_sees_the_same(ours: CommandLine, words: list[str]) -> None:
    ours.value("kv", "put", "secret/quick", "A=1")
    with_click = CommandLine(
        (ours.program[0], "-c", "import sys\nfrom strongroom.cli.main import main\nsys.exit(main())"), ours.environ
    )
    assert ours("run", *words) == with_click("run", *words)
