"""``env override set|unset|list``: values of one's own over those of an environment. The server keeps them, and gives them to nobody else."""

from __future__ import annotations

from strongroom.cli.arguments import parse_data
from strongroom.cli.errors import CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.listing import show_listing
from strongroom.cli.options import text
from strongroom.cli.reference_view import resolver_of
from strongroom.cli.references import reference
from strongroom.cli.run_sources import is_marked, reference_to
from strongroom.cli.session import Session

_ENV_HELP = "Environment that the path is in; without it the path begins with a mount, or is a reference (sr://…)."


@command("set", "PATH K=V...", text("-env", "-e", help=_ENV_HELP))
def set_override(session: Session, arguments: tuple[str, ...], env: str) -> None:
    """Puts values of your own over those of a secret: run, read and explain use them for you, and for nobody else.

    Environments that are protected, and the most sensitive one, take none. Keep values off the command line: K=- reads standard input, K=@file a file, a bare K asks.

        strongroom env override set -env=development app DB_URL=-
    """
    expect(arguments, 2, len(arguments))
    data = parse_data(session, arguments[1:])
    path = _path(session, arguments[0], env)
    with reporting(f"Error overriding values of {path}"):
        session.client.write("sys/overrides", {"path": path, "data": data})
    session.success(f"Overridden for you: {', '.join(sorted(data))} of {path}")


@command("unset", "PATH [KEY...]", text("-env", "-e", help=_ENV_HELP))
def unset_override(session: Session, arguments: tuple[str, ...], env: str) -> None:
    """Takes your values over those of a secret away again; all of them where no key is named.

    strongroom env override unset -env=development app DB_URL
    """
    expect(arguments, 1, len(arguments))
    path = _path(session, arguments[0], env)
    if "" in arguments[1:]:
        raise CommandFailed("the name of a key is empty; name none to take all of them away")
    query = {"path": path, **({"keys": ",".join(arguments[1:])} if arguments[1:] else {})}
    with reporting(f"Error removing overrides of {path}"):
        session.client.delete("sys/overrides", query)
    session.success(f"Not overridden any more: {path}")


@command("list", "", output=Output.FORMAT)
def list_overrides(session: Session, arguments: tuple[str, ...]) -> int:
    """Lists the keys that you have overridden, without values.

    strongroom env override list
    """
    expect(arguments, 0)
    with reporting("Error listing overrides"):
        answer = session.client.list("sys/overrides")
    return show_listing(session, "sys/overrides", answer)


def _path(session: Session, given: str, environment: str) -> str:
    """The path with its mount."""
    if not environment and not is_marked(given):
        return given.strip("/")
    resolver = resolver_of(session, environment)
    asked = reference(given) if is_marked(given) else reference_to(resolver.environment, given)
    if asked.key:
        raise CommandFailed("name the secret, and its keys after it")
    return resolver.path(asked)
