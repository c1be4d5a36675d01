"""``version``."""

from __future__ import annotations

import strongroom
from strongroom.cli.grammar import command, expect
from strongroom.cli.session import Session


@command("version", "", remote=False)
def version(session: Session, arguments: tuple[str, ...]) -> None:
    """Prints the version of this program."""
    expect(arguments, 0)
    session.say(f"Strongroom v{strongroom.__version__}")
