"""``run``: a program with secrets in its environment, and nothing else left behind.

Exit code: the program's own; 125 where Strongroom failed (wrong usage, no answer, no secret), 126 where the program cannot
be executed, 127 where it is not found.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from strongroom.cli import tables
from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, RunnerCommand, command
from strongroom.cli.kv_mount import locate
from strongroom.cli.options import Switch, switch, text, texts
from strongroom.cli.session import Session
from strongroom.client import exact_json
from strongroom.client.client import Client
from strongroom.client.errors import ClientError
from strongroom.client.settings import DEFAULT_RETRIES, variable
from strongroom.delivery.environment import (
    CannotDeliver,
    Inheritance,
    Selection,
    Source,
    Variable,
    collect,
    environment,
    is_preserved,
)
from strongroom.delivery.execute import CANNOT_RUN, CannotExecute, become


class _Names(Switch):
    """A yes-or-no flag that may also carry the names that it is about: ``-preserve-env`` or ``-preserve-env=A,B``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """None for all, else the set of names."""
        if value is None or isinstance(value, frozenset):
            return value
        if str(value) in {"true", "false"}:
            return None if value == "true" else frozenset()
        return _names((str(value),))


class _Run(RunnerCommand):
    """Wrong usage ends with the exit code that says: not the program's."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """As click does it, with our exit code."""
        try:
            return super().make_context(*arguments, **extra)
        except click.UsageError as error:
            raise CommandFailed(error.format_message(), CANNOT_RUN) from None


@command(
    "run",
    "-- COMMAND [ARGUMENTS...]",
    texts("-path", help="Secret to read, as MOUNT/NAME. May be repeated; of two values the later path's wins."),
    text("-mount", help="Path of the kv store; every -path is then a name below it."),
    text("-prefix", help="Put this before the name of every variable."),
    texts("-only", help="Only these keys: A,B. May be repeated."),
    texts("-exclude", help="All keys but these: A,B. May be repeated."),
    click.Option(
        ["-preserve-env"],
        type=_Names(),
        default=frozenset(),
        metavar="[=A,B]",
        help="Variables that are already set win over secrets: all, or only those named.",
    ),
    switch("-clean-env", help="Pass on nothing but HOME, PATH, USER, SHELL, TERM, TZ, TMPDIR and the language."),
    switch("-preserve-token", help="Pass on the vault token of this shell too (it is left out otherwise)."),
    switch("-dry-run", help="Show which variables come from where, without values, and run nothing."),
    output=Output.FORMAT,
    kind=_Run,
)
def run(session: Session, arguments: tuple[str, ...], path: tuple[str, ...], mount: str, **flags: Any) -> int:
    """Runs a program with secrets in its environment.

    The program replaces this process: signals reach it, and its exit code is the exit code. Values that are not text are given
    as JSON. The variables STRONGROOM_TOKEN, BAO_TOKEN and VAULT_TOKEN are not passed on.

        strongroom run -path secret/app -- ./server --port 8080
        strongroom run -path secret/base -path secret/app -dry-run -- ./server
    """
    if not path:
        raise CommandFailed("name the secret with -path, as in: strongroom run -path secret/app -- COMMAND", CANNOT_RUN)
    if not arguments and not flags["dry_run"]:
        raise CommandFailed("name the program after --, as in: strongroom run -path secret/app -- COMMAND", CANNOT_RUN)
    try:
        selection = Selection(_names(flags["only"]), _names(flags["exclude"]), flags["prefix"])
        inheritance = Inheritance(flags["clean_env"], flags["preserve_env"], flags["preserve_token"])
        variables = collect(_read(session, path, mount), selection, exact_json.encode)
    except CommandFailed as failure:
        raise CommandFailed(failure.text, CANNOT_RUN) from None
    except (CannotDeliver, ClientError) as error:
        raise CommandFailed(str(error), CANNOT_RUN) from None
    if flags["dry_run"]:
        _show(session, variables, inheritance)
        return 0
    sys.stdout.flush()
    try:
        become(arguments, environment(variables, _callers_environment(), inheritance))
    except CannotExecute as error:
        raise CommandFailed(str(error), error.exit_code) from None
    return CANNOT_RUN


def _read(session: Session, paths: tuple[str, ...], mount: str) -> list[Source]:
    settings = session.settings
    if not variable(session.environ, "MAX_RETRIES"):
        # Nobody waits at a terminal here: a server that restarts must not stop a deployment.
        settings = settings._replace(max_retries=DEFAULT_RETRIES)
    with session.client_with(settings._replace(wrap_ttl="")) as client:
        return [_read_one(client, path, mount) for path in paths]


def _read_one(client: Client, path: str, mount: str) -> Source:
    place = locate(client, path, mount)
    api_path = place.api("data")
    answer = client.read(api_path)
    data = (answer or {}).get("data")
    if place.versioned and isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, dict):
        raise CommandFailed(f"No value found at {api_path}")
    return Source(api_path, data)


def _show(session: Session, variables: list[Variable], inheritance: Inheritance) -> None:
    kept = {item.name for item in variables if item.name in os.environ and is_preserved(item.name, inheritance)}
    if not session.printer.is_table:
        session.printer.data(
            [
                {
                    "name": item.name,
                    "source": "environment" if item.name in kept else item.source,
                    "instead_of": list(item.replaced),
                }
                for item in variables
            ]
        )
        return
    if not variables:
        session.say("No variables.")
        return
    rows = [(item.name, *_origin(item, kept)) for item in variables]
    session.say(tables.headed(("Variable", "Source", "Instead of"), rows))


def _origin(item: Variable, kept: set[str]) -> tuple[str, str]:
    if item.name in kept:
        return "environment", ", ".join((*item.replaced, item.source))
    return item.source, ", ".join(item.replaced)


def _callers_environment() -> dict[str, str]:
    """This process's environment as it was given: Python itself may have added a locale to it (PEP 538)."""
    inherited = dict(os.environ)
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 -- pathlib would add to the start of every command
            given = file.read()
    except OSError:
        return inherited
    if not any(entry.startswith(b"LC_CTYPE=") for entry in given.split(b"\0")):
        inherited.pop("LC_CTYPE", None)
    return inherited


def _names(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.strip() for word in words for name in word.split(",") if name.strip())
