"""``read|write|list|delete|patch|unwrap|path-help``: the API as it is, path by path."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import click

from strongroom.cli.arguments import parse_data
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.listing import show_listing
from strongroom.cli.options import switch, text, whole
from strongroom.cli.printer import warnings_text
from strongroom.cli.prompts import standard_input
from strongroom.cli.session import Session
from strongroom.client.errors import ApiError
from strongroom.delivery.reference import is_reference
from strongroom.logical.secret import Secret


@command("read", "PATH [K=V...]", output=Output.FIELD)
def read(session: Session, arguments: tuple[str, ...]) -> None:
    """Reads what is at a path, or the value that a reference means. K=V arguments go into the query.

    strongroom read -field=value cubbyhole/note
    strongroom read sr://development/app#DB_PASSWORD
    strongroom read secret/app#DB_PASSWORD
    """
    expect(arguments, 1, max(len(arguments), 1))
    if is_reference(arguments[0]):
        from strongroom.cli.reference_view import show_value

        expect(arguments, 1)
        show_value(session, arguments[0])
        return
    path, query = arguments[0].strip("/"), _query(session, arguments[1:])
    if session.printer.format == "raw":
        body = session.client.request("GET", path, query=query).body
        session.say(body.decode("utf-8", "replace").rstrip("\n"))
        return
    with reporting(f"Error reading {path}"):
        answer = session.client.read(path, query)
    if answer is None:
        raise CommandFailed(f"No value found at {path}", REMOTE)
    session.show(answer)


@command(
    "write",
    "PATH [K=V...]",
    switch("-force", "-f", help="Write without any data."),
    output=Output.FIELD,
)
def write(session: Session, arguments: tuple[str, ...], force: bool) -> None:  # noqa: FBT001 -- a flag
    """Writes data to a path.

    Keep secret values off the command line: K=- reads standard input, K=@file a file, a bare K asks.

        strongroom write auth/userpass/users/ana password=- policies=app <password.txt
    """
    path, data = _data(session, arguments, force=force)
    with _reporting_with_warnings(session, f"Error writing data to {path}"):
        answer = session.client.write(path, data)
    _show_written(session, path, answer)


@command(
    "patch",
    "PATH [K=V...]",
    switch("-force", "-f", help="Patch without any data."),
    output=Output.FIELD,
)
def patch(session: Session, arguments: tuple[str, ...], force: bool) -> None:  # noqa: FBT001 -- a flag
    """Changes parts of what is at a path, where the path knows how.

    strongroom patch pki/config/acme enabled=true
    """
    path, data = _data(session, arguments, force=force)
    with _reporting_with_warnings(session, f"Error writing data to {path}"):
        answer = session.client.patch(path, data or {})
    _show_written(session, path, answer)


@command("delete", "PATH [K=V...]", output=Output.FIELD)
def delete(session: Session, arguments: tuple[str, ...]) -> None:
    """Deletes what is at a path.

    strongroom delete auth/userpass/users/ana
    """
    expect(arguments, 1, max(len(arguments), 1))
    path = arguments[0].strip("/")
    with _reporting_with_warnings(session, f"Error deleting {path}"):
        answer = session.client.delete(path, _query(session, arguments[1:]))
    if answer is None:
        session.success(f"Data deleted (if it existed) at: {path}")
    else:
        session.show(answer)


@command(
    "list",
    "PATH",
    whole("-limit", help="At most this many.", default=-1),
    text("-after", help="Begin after this one."),
    output=Output.FORMAT,
)
def list_keys(session: Session, arguments: tuple[str, ...], limit: int, after: str) -> int:
    """Lists what is below a path.

    strongroom list auth/userpass/users
    """
    expect(arguments, 1)
    path = arguments[0].strip("/")
    query = {"after": after} if after else {}
    if limit > 0:
        query["limit"] = str(limit)
    with reporting(f"Error listing {path}"):
        answer = session.client.list(path, query)
    return show_listing(session, path, answer)


@command("unwrap", "[TOKEN]", output=Output.FIELD)
def unwrap(session: Session, arguments: tuple[str, ...]) -> None:
    """Opens a wrapped answer; this works once.

    Without TOKEN the token that is logged in is the wrapping token; TOKEN - reads it from standard input.

        VAULT_TOKEN=... strongroom unwrap
        strongroom unwrap - <wrapping-token.txt
    """
    expect(arguments, 0, 1)
    given = (standard_input() if arguments == ("-",) else arguments[0]).strip() if arguments else ""
    settings, body = session.settings, None
    wrapping, current = Secret(given), session.settings.token
    if given and current is None:
        settings = settings._replace(token=wrapping)
    elif given and wrapping != current:
        body = {"token": given}
    with reporting("Error unwrapping"):
        answer = session.client_with(settings._replace(wrap_ttl="")).write("sys/wrapping/unwrap", body)
    if answer is None:
        raise CommandFailed("The wrapped answer was empty", REMOTE)
    session.show(answer)


@command("path-help", "PATH", output=Output.FORMAT)
def path_help(session: Session, arguments: tuple[str, ...]) -> None:
    """Shows what the server says about a path: what it is for and what it takes.

    strongroom path-help secret/
    """
    expect(arguments, 1)
    path = arguments[0].strip("/")
    with reporting("Error retrieving help"):
        answer = session.client.request("GET", path, query={"help": "1"}).json() or {}
    if session.printer.is_table:
        session.say(str(answer.get("help", "")).strip())
    else:
        session.printer.data(answer.get("openapi") or answer)


@contextlib.contextmanager
def _reporting_with_warnings(session: Session, action: str) -> Iterator[None]:
    """As ``reporting``; the warnings that came with the error say where the right path is."""
    with reporting(action):
        try:
            yield
        except ApiError as error:
            hint = warnings_text(error.answer) if session.printer.is_table else ""
            raise CommandFailed(f"{action}: {error}" + ("\n\n" + hint if hint else ""), REMOTE) from None


def _query(session: Session, words: tuple[str, ...]) -> dict[str, str]:
    return {name: str(value) for name, value in parse_data(session, words, ask=False).items()}


def _data(session: Session, arguments: tuple[str, ...], *, force: bool) -> tuple[str, dict[str, Any] | None]:
    expect(arguments, 1, max(len(arguments), 1))
    if len(arguments) == 1 and not force:
        raise click.UsageError("Must supply data or use -force")
    data = parse_data(session, arguments[1:]) if len(arguments) > 1 else None
    return arguments[0].strip("/"), data


def _show_written(session: Session, path: str, answer: dict[str, Any] | None) -> None:
    if answer is None:
        session.success(f"Data written to: {path}")
    else:
        session.show(answer)
