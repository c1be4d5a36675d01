"""``run``: a program with secrets in its environment, and nothing else left behind.

Exit code: the program's own; 125 where Strongroom failed (wrong usage, no answer, no secret), 126 where the program cannot
be executed, 127 where it is not found; 128+N where a supervised program was killed by signal N.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, RunnerCommand, command
from strongroom.cli.options import Switch, switch, text, texts
from strongroom.cli.run_sources import Gathered, Gatherer, Wanted
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session
from strongroom.client import exact_json
from strongroom.client.errors import ClientError
from strongroom.client.settings import DEFAULT_RETRIES, variable
from strongroom.delivery.environment import (
    CannotDeliver,
    Inheritance,
    Selection,
    Variable,
    collect,
    environment,
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
    texts("-path", help="Secret to read, as MOUNT/NAME or sr://ENV/PATH. Of two values the later path's wins."),
    texts("-env", "-e", help="Environment to take secrets from; every -path is then a path in it. May be repeated."),
    texts(
        "-env-file", help="File of NAME=value lines; a value may be a reference, sr://ENV/PATH#KEY. May be repeated."
    ),
    text("-kv-mount", help="Path of the kv store; every -path is then a name below it."),
    text("-prefix", help="Put this before the name of every variable."),
    texts("-rename", help="Give a key another name: KEY=NAME. May be repeated."),
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
def run(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Runs a program with secrets in its environment.

    The program replaces this process: signals reach it, and its exit code is the exit code. Values that are not text are given
    as JSON. The variables STRONGROOM_TOKEN, BAO_TOKEN and VAULT_TOKEN are not passed on. Without -path and -env-file the
    project file .strongroom.toml says what to deliver.

        strongroom run -path secret/app -- ./server --port 8080
        strongroom run -env production -- ./server
        strongroom run -path secret/base -path secret/app -dry-run -- ./server
    """
    if not arguments and not flags["dry_run"]:
        raise CommandFailed("name the program after --, as in: strongroom run -path secret/app -- COMMAND", CANNOT_RUN)
    try:
        return _deliver(session, arguments, flags)
    except CommandFailed as failure:
        code = max(failure.exit_code, CANNOT_RUN)
        raise CommandFailed(failure.text, code) from None
    except (CannotDeliver, ClientError) as error:
        raise CommandFailed(str(error), CANNOT_RUN) from None


def _deliver(session: Session, arguments: tuple[str, ...], flags: dict[str, Any]) -> int:
    selection = Selection(_names(flags["only"]), _names(flags["exclude"]), flags["prefix"], _renamed(flags["rename"]))
    inheritance = Inheritance(flags["clean_env"], flags["preserve_env"], flags["preserve_token"])
    gathered = _gather(session, Wanted(flags["path"], flags["kv_mount"], flags["env"], flags["env_file"]))
    variables = collect(gathered.sources, selection, exact_json.encode)
    if flags["dry_run"]:
        from strongroom.cli.run_view import show

        show(session, variables, inheritance)
        return 0
    tell_conflicts(session, variables)
    sys.stdout.flush()
    try:
        become(arguments, environment(variables, callers_environment(), inheritance))
    except CannotExecute as error:
        raise CommandFailed(str(error), error.exit_code) from None
    return CANNOT_RUN


def _gather(session: Session, wanted: Wanted) -> Gathered:
    settings = session.settings
    if not variable(session.environ, "MAX_RETRIES"):
        # Nobody waits at a terminal here: a server that restarts must not stop a deployment.
        settings = settings._replace(max_retries=DEFAULT_RETRIES)
    with session.client_with(settings._replace(wrap_ttl="")) as client:
        return Gatherer(SecretReader(client), wanted, session.environ).gather()


def tell_conflicts(session: Session, variables: list[Variable]) -> None:
    """Name, for a person, the variables for which two sources on the command line had different values."""
    for item in variables:
        if item.differs and not item.layer:
            session.note(
                f"{item.name} is the one of {item.source}; {', '.join(item.replaced)} had another value for it"
            )


def callers_environment() -> dict[str, str]:
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


def _renamed(words: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in (part for given in words for part in given.split(",")):
        key, equals, name = word.strip().partition("=")
        if not (key and equals and name):
            raise CommandFailed("-rename takes KEY=NAME")
        found[key] = name
    return found
