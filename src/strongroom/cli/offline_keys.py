"""Key shares for commands that work without a server, and the server's rooms that they need, loaded only when they are used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.extras import how_to_install
from strongroom.cli.prompts import hidden
from strongroom.cli.session import Session

_INPUT_CHARACTERS_MAX = 65536
KEY_HELP = "- reads the key shares from standard input, one a line; without it they are asked for."


def shares(session: Session, key: str | None, command: str) -> Callable[[int, int], str]:
    """Gives share after share, told which one of how many: from standard input where ``key`` is ``-``, or asked for.

    Raises CommandFailed for any other ``key``: it could be seen by others.
    """
    if key not in {"", "-", None}:
        raise CommandFailed("A key on the command line can be seen by others: use -key=- and pipe it in")
    if key:
        return _from_input()
    instead = f"Pipe the shares in: strongroom operator {command} -key=- <shares.txt"
    return lambda number, of: hidden(session, f"Unseal Key {number} of {of}", instead)


def server_room(name: str) -> Any:
    """A module of the server, by name. Raises CommandFailed where the server is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise CommandFailed(
            f"The server is not installed here (no module {error.name}): {how_to_install('server')}", 2
        ) from None


def _from_input() -> Callable[[int, int], str]:
    lines = iter(sys.stdin.read(_INPUT_CHARACTERS_MAX).split())

    def share(number: int, of: int) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise CommandFailed(f"{of} key shares are needed; standard input holds {number - 1}", 2) from None

    return share
