"""``env rotate``: a new encryption key for one environment."""

from __future__ import annotations

from strongroom.cli import tables
from strongroom.cli.errors import CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.quorum import contents
from strongroom.cli.session import Session


@command("rotate", "ENVIRONMENT", output=Output.FORMAT)
def rotate(session: Session, arguments: tuple[str, ...]) -> None:
    """Begins a new encryption key for what is written in one environment from now on.

    What is stored stays readable. A protected environment wants a -reason. All keys at once: strongroom operator rotate.

        strongroom env rotate development
        strongroom env rotate production -reason="yearly"
    """
    expect(arguments, 1)
    name = arguments[0]
    if not name or "/" in name:
        raise CommandFailed("name one environment; strongroom list sys/environments says which there are")
    with reporting(f"Error rotating the key of {name}"):
        answer = session.client.write(f"sys/environments/{name}/rotate")
    keyring = contents(answer).get("keyring") or {}
    if not session.printer.is_table:
        session.printer.data(keyring)
        return
    session.say(f"Success! Rotated the key of {name}\n")
    session.say(
        tables.columns(
            [
                ("Keyring", str(keyring.get("id"))),
                ("Key Term", str(keyring.get("term"))),
                ("Install Time", str(keyring.get("install_time"))),
            ]
        )
    )
