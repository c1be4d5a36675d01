"""``audit enable|list|disable``."""

from __future__ import annotations

from strongroom.cli import tables
from strongroom.cli.arguments import parse_data
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.mounting import with_slash
from strongroom.cli.options import switch, text
from strongroom.cli.secret_view import ordered
from strongroom.cli.session import Session


@command(
    "enable",
    "TYPE [K=V...]",
    text("-path", help="Name of the device; the type's without this."),
    text("-description", help="What it is for."),
    switch("-local", help="Not for replication."),
)
def enable(session: Session, arguments: tuple[str, ...], path: str, description: str, local: bool) -> None:  # noqa: FBT001 -- a flag
    """Enables an audit device.

    strongroom audit enable file file_path=/var/log/strongroom/audit.log
    """
    if not arguments:
        raise CommandFailed("Error enabling audit device: audit type missing. Valid types include 'file'.")
    kind = arguments[0].strip()
    place = with_slash(path or kind)
    options = {name: str(value) for name, value in parse_data(session, arguments[1:], ask=False).items()}
    body = {"type": kind, "description": description, "local": local, "options": options}
    with reporting("Error enabling audit device"):
        session.client.write(f"sys/audit/{place.rstrip('/')}", body)
    session.success(f"Enabled the {kind} audit device at: {place}")


@command("list", "", switch("-detailed", help="Show their options too."), output=Output.FORMAT)
def list_devices(session: Session, arguments: tuple[str, ...], detailed: bool) -> None:  # noqa: FBT001 -- a flag
    """Lists the audit devices that are enabled."""
    expect(arguments, 0)
    with reporting("Error listing audits"):
        answer = session.client.request("GET", "sys/audit").json() or {}
    data = answer.get("data") or {}
    if not data:
        raise CommandFailed("No audit devices are enabled.", REMOTE)
    members = ("type", "description", "options", "local", "path")
    devices = {
        name: {member: ordered(data[name].get(member, name if member == "path" else "")) for member in members}
        for name in sorted(data)
    }
    if not session.printer.is_table:
        session.printer.data(devices)
        return
    head, rows = ["Path", "Type", "Description"], []
    for name, device in devices.items():
        row = [name, str(device["type"]), str(device["description"])]
        if detailed:
            options = device["options"] or {}
            row.append("local" if device["local"] else "replicated")
            row.append(" ".join(f"{option}={options[option]}" for option in options))
        rows.append(row)
    session.say(tables.headed([*head, *(["Replication", "Options"] if detailed else [])], rows))


@command("disable", "PATH")
def disable(session: Session, arguments: tuple[str, ...]) -> None:
    """Disables an audit device. Its hashes can then no longer be compared."""
    expect(arguments, 1)
    path = with_slash(arguments[0])
    with reporting("Error disabling audit device"):
        session.client.delete(f"sys/audit/{path.rstrip('/')}")
    session.success(f"Disabled audit device (if it was enabled) at: {path}")
