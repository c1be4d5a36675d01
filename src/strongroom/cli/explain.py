"""``explain``: where the value of a variable comes from, and what it hides. Never the value."""

from __future__ import annotations

from typing import Any, NamedTuple

from strongroom.cli import tables
from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, texts
from strongroom.cli.project_use import environment_in_use, project_in_use, project_path
from strongroom.cli.references import Resolver
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session
from strongroom.client.errors import ApiError
from strongroom.delivery.layers import PERSONAL, Wish, wishes


class _Origin(NamedTuple):
    layer: str
    source: str
    state: str

    @property
    def has_it(self) -> bool:
        return self.state.startswith(("set", "version"))


@command(
    "explain",
    "KEY",
    texts("-env", "-e", help="Environment to explain for. May be repeated, as with run."),
    switch("-preserve-env", help="As with run: variables that are already set win."),
    output=Output.FORMAT,
)
def explain(session: Session, arguments: tuple[str, ...], env: tuple[str, ...], preserve_env: bool) -> None:  # noqa: FBT001 -- a flag
    """Shows where run would take a variable from in this project, strongest first, and which one wins.

    The order is: process environment (with -preserve-env alone), personal override, environment, base, import.

        strongroom explain DB_PASSWORD
        strongroom explain -env production DB_PASSWORD
    """
    expect(arguments, 1)
    key = arguments[0]
    path = project_path(session.environ)
    if not path:
        raise CommandFailed("there is no .strongroom.toml here or above; write one with: strongroom init -from .env")
    project = project_in_use(session.environ)
    environments = tuple(environment_in_use(project, session.environ, name) for name in env or ("",))
    resolver = Resolver(SecretReader(session.client), project, environments[-1])
    found: list[_Origin | None] = []
    for environment in environments:
        asked = [wish for wish in wishes(project, (environment,)) if wish.name in {key, None}]
        found += [_origin(resolver, wish, key) for wish in asked]
        found += [_override(resolver, wish, key) for wish in asked]
    origins = [origin for origin in reversed(found) if origin is not None]
    origins.insert(0, _process(session, key, preserve=preserve_env))
    winner = next((origin for origin in origins if origin.has_it), None)
    _show(session, origins, winner)
    if winner is None:
        raise CommandFailed(f"nothing in {path} gives {key} a value", REMOTE)


def _process(session: Session, key: str, *, preserve: bool) -> _Origin:
    if key not in session.environ:
        return _Origin("process environment", key, "not set")
    return _Origin("process environment", key, "set" if preserve else "replaced, unless -preserve-env is given")


def _origin(resolver: Resolver, wish: Wish, key: str) -> _Origin | None:
    """What one part of the project says of ``key``; None for a whole secret that was read and does not have it."""
    try:
        found = resolver.secret(wish.reference)
    except (CommandFailed, ApiError) as error:
        state = f"status {error.status}" if isinstance(error, ApiError) else str(error.args[0])
        return _Origin(wish.layer, str(wish.reference), f"cannot be read: {state}")
    if (wish.reference.key or key) not in found.values:
        return None if wish.name is None else _Origin(wish.layer, str(wish.reference), "no such key")
    source = str(wish.reference) if wish.reference.key else str(wish.reference._replace(key=key))
    named = wish.reference.key or key
    if named in found.origins:
        return _Origin(wish.layer, f"{source}, imported from {found.origins[named]}", "set")
    return _Origin(wish.layer, source, f"version {found.version}" if found.version else "set")


def _override(resolver: Resolver, wish: Wish, key: str) -> _Origin | None:
    """What whoever asks has put over ``key`` of a secret."""
    try:
        own = resolver.overrides(wish.reference)
    except (CommandFailed, ApiError):
        return None  # what is wrong with the secret is said already
    named = wish.reference.key or key
    if named not in own:
        return None
    return _Origin(PERSONAL, f"your override of {wish.reference._replace(key=named)}", "set")


def _show(session: Session, origins: list[_Origin], winner: _Origin | None) -> None:
    if session.printer.is_table:
        rows = [(*origin, "yes" if origin is winner else "no") for origin in origins]
        session.say(tables.headed(("Layer", "Source", "State", "Wins"), rows))
        return
    listed: list[dict[str, Any]] = [
        {"layer": origin.layer, "source": origin.source, "state": origin.state, "wins": origin is winner}
        for origin in origins
    ]
    session.printer.data(listed)
