"""``run``: a program with secrets in its environment, and nothing else left behind.

Exit code: the program's own; 125 where Strongroom failed (wrong usage, no answer, no secret), 126 where the program cannot
be executed, 127 where it is not found; 128+N where a supervised program was killed by signal N. What it does is here; its flags
are in ``run_flags``, and how it is called in ``run_command`` (by click) and ``quick`` (without).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.run_sources import Gathered, Gatherer
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session
from strongroom.cli.source_options import fallback_reader, report_offline_reads, selection, tell_conflicts, wanted
from strongroom.client import exact_json
from strongroom.client.errors import ClientError
from strongroom.client.settings import DEFAULT_RETRIES, variable
from strongroom.delivery.environment import (
    CannotDeliver,
    Check,
    Inheritance,
    Variable,
    collect,
    environment,
)
from strongroom.delivery.execute import CANNOT_RUN, CannotExecute, become

if TYPE_CHECKING:
    from strongroom.client.client import Client


def run(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Runs a program with secrets in its environment.

    The program replaces this process: signals reach it, and its exit code is the exit code. Values that are not text are given
    as JSON. The variables STRONGROOM_TOKEN, BAO_TOKEN and VAULT_TOKEN are not passed on. Without -path and -env-file the
    project file .strongroom.toml says what to deliver. With -watch, -redact, -creds-dir or -mount this process stays beside the
    program, passes signals on, and ends with its exit code, or with 128 and the number of the signal that killed it.

        strongroom run -path secret/app -- ./server --port 8080
        strongroom run -env production -- ./server
        strongroom run -path secret/app -watch -redact=on -- ./server
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
    is_beside = _stays_beside(flags)
    chosen = selection(flags)
    inheritance = Inheritance(flags["clean_env"], flags["preserve_env"], flags["preserve_token"])
    asked = wanted(flags)
    check = _file_names() if flags["creds_dir"] and not flags["mount"] else None

    def read(client: Client, reader: SecretReader | None = None) -> tuple[Gathered, list[Variable]]:
        source = SecretReader(client) if reader is None else reader
        gathered = Gatherer(source, asked, session.environ, keeps=reader is not None, overrides=True).gather()
        return gathered, collect(gathered.sources, chosen, exact_json.encode, check)

    with _patient_client(session) as client:
        reader = fallback_reader(session, client, flags)
        first = read(client, reader)
        if reader is None or not reader.is_away:
            report_offline_reads(session, client)
    if flags["dry_run"]:
        from strongroom.cli.ending import is_unread
        from strongroom.cli.run_view import show

        try:
            show(session, first[1], inheritance)
            sys.stdout.flush()
        except OSError as error:
            if is_unread(error):
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or what is buffered would fail once more at the end
            raise CommandFailed(f"the output cannot be written: {error.strerror}", CANNOT_RUN) from None
        return 0
    tell_conflicts(session, first[1])
    if is_beside:
        from strongroom.cli.run_supervised import plan_of, supervise

        return supervise(session, arguments, plan_of(flags), read, first, (callers_environment(), inheritance))
    sys.stdout.flush()
    try:
        become(arguments, environment(first[1], callers_environment(), inheritance))
    except CannotExecute as error:
        raise CommandFailed(str(error), error.exit_code) from None
    return CANNOT_RUN


def _stays_beside(flags: dict[str, Any]) -> bool:
    """Whether the program gets a process beside it; otherwise it takes this one's place. Raises CommandFailed."""
    asked = [name for name in ("watch", "redact", "creds_dir", "mount") if flags[name]]
    if not asked:
        return False
    from strongroom.cli.run_supervised import plan_of
    from strongroom.delivery.streams import has_output_to_filter

    flags["redact"] = flags["redact"] or "auto"
    plan_of(flags)
    return asked != ["redact"] or (flags["redact"] != "off" and has_output_to_filter())


def _file_names() -> Check:
    from strongroom.delivery.credentials import check_file_name

    return check_file_name


def _patient_client(session: Session) -> Client:
    settings = session.settings
    if not variable(session.environ, "MAX_RETRIES"):
        # Nobody waits at a terminal here: a server that restarts must not stop a deployment.
        settings = settings._replace(max_retries=DEFAULT_RETRIES)
    return session.client_with(settings._replace(wrap_ttl=""))


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
