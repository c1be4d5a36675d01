"""``secrets enable|list|disable|tune|move``."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.mounting import (
    detailed_head,
    detailed_row,
    enable_options,
    enabling,
    mount_table,
    move,
    tune_options,
    tuning,
    with_slash,
)
from strongroom.cli.options import switch
from strongroom.cli.session import Session


@command("enable", "TYPE", *enable_options(), *tune_options())
def enable(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Mounts a secrets engine.

    strongroom secrets enable -path=secret -version=2 kv
    """
    expect(arguments, 1)
    kind = arguments[0].strip()
    path = with_slash(flags["path"] or kind)
    with reporting("Error enabling"):
        answer = session.client.write(f"sys/mounts/{path.rstrip('/')}", enabling(kind, flags), method="POST")
    session.success(f"Enabled the {kind} secrets engine at: {path}")
    session.warn_of(answer)


@command("list", "", switch("-detailed", help="Show everything about each."), output=Output.FORMAT)
def list_engines(session: Session, arguments: tuple[str, ...], detailed: bool) -> None:  # noqa: FBT001 -- a flag
    """Lists the secrets engines that are mounted."""
    expect(arguments, 0)
    mounts = mount_table(session, "sys/mounts", "Error listing secrets engines")
    if not session.printer.is_table:
        session.printer.data(mounts)
    elif detailed:
        rows = [detailed_row(path, mount, []) for path, mount in mounts.items()]
        session.say(tables.headed(detailed_head(is_auth=False), rows))
    else:
        rows = [[path, mount["type"], mount["accessor"], mount["description"]] for path, mount in mounts.items()]
        session.say(tables.headed(("Path", "Type", "Accessor", "Description"), rows))


@command("disable", "PATH")
def disable(session: Session, arguments: tuple[str, ...]) -> None:
    """Unmounts a secrets engine: revokes its leases and deletes all that it holds."""
    expect(arguments, 1)
    path = with_slash(arguments[0])
    with reporting(f"Error disabling secrets engine at {path}"):
        session.client.delete(f"sys/mounts/{path.rstrip('/')}")
    session.success(f"Disabled the secrets engine (if it existed) at: {path}")


@command("tune", "PATH", *tune_options())
def tune(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Changes how a mounted secrets engine behaves; what is not given stays as it is.

    strongroom secrets tune -max-lease-ttl=24h secret/
    """
    expect(arguments, 1)
    path = with_slash(arguments[0])
    with reporting(f"Error tuning secrets engine {path}"):
        answer = session.client.write(f"sys/mounts/{path.rstrip('/')}/tune", tuning(flags), method="POST")
    session.success(f"Tuned the secrets engine at: {path}")
    session.warn_of(answer)


@command("move", "SOURCE DESTINATION")
def move_engine(session: Session, arguments: tuple[str, ...]) -> None:
    """Moves a secrets engine to another path; its leases are revoked."""
    expect(arguments, 2)
    move(session, with_slash(arguments[0]), with_slash(arguments[1]), "secrets engine")
