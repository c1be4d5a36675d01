"""``operator rotate|rotate-root|key-status|members|step-down``."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.quorum import contents, first_known
from strongroom.cli.session import Session

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@command("rotate", "", output=Output.FORMAT)
def rotate(session: Session, arguments: tuple[str, ...]) -> None:
    """Begins a new encryption key for what is written from now on; what is stored stays readable."""
    expect(arguments, 0)
    with reporting("Error rotating key"):
        first_known(session.client, "POST", ("sys/rotate/keyring", "sys/rotate"))
    if session.printer.is_table:
        session.say("Success! Rotated key\n")
    _show_key(session)


@command("rotate-root", "")
def rotate_root(session: Session, arguments: tuple[str, ...]) -> None:
    """Puts a new root key in the place of the present one; seal and key shares stay as they are."""
    expect(arguments, 0)
    with reporting("Error rotating the root key"):
        session.client.write("sys/rotate/root")
    session.success("Rotated the root key")


@command("key-status", "", output=Output.FORMAT)
def key_status(session: Session, arguments: tuple[str, ...]) -> None:
    """Shows the encryption key's number, when it began and how often it was used."""
    expect(arguments, 0)
    _show_key(session)


@command("members", "", output=Output.FORMAT)
def members(session: Session, arguments: tuple[str, ...]) -> None:
    """Lists the nodes of the cluster."""
    expect(arguments, 0)
    with reporting("Error reading cluster members"):
        answer = contents(session.client.request("GET", "sys/ha-status").json())
    nodes = answer.get("nodes") or answer.get("Nodes") or []
    if not session.printer.is_table:
        session.printer.data({"Nodes": nodes})
        return
    head = ("Host Name", "API Address", "Cluster Address", "Active Node", "Version", "Upgrade Version", "Last Echo")
    rows = [
        [
            str(node.get("hostname") or ""),
            str(node.get("api_address") or ""),
            str(node.get("cluster_address") or ""),
            "true" if node.get("active_node") else "false",
            str(node.get("version") or ""),
            str(node.get("upgrade_version") or ""),
            str(node.get("last_echo") or ""),
        ]
        for node in nodes
    ]
    session.say(tables.headed(head, rows))


@command("step-down", "")
def step_down(session: Session, arguments: tuple[str, ...]) -> None:
    """Makes the active node give up its place."""
    expect(arguments, 0)
    with reporting("Error stepping down"):
        session.client.write("sys/step-down")
    session.success(f"Stepped down: {session.client.address.origin}")


def _show_key(session: Session) -> None:
    with reporting("Error reading key status"):
        status: dict[str, Any] = contents(session.client.request("GET", "sys/key-status").json())
    shown = {name: status.get(name) for name in ("term", "install_time", "encryptions")}
    if not session.printer.is_table:
        session.printer.data(shown)
        return
    rows = [
        ("Key Term", str(shown["term"])),
        ("Install Time", _short_time(str(shown["install_time"] or ""))),
        ("Encryption Count", str(shown["encryptions"] or 0)),
    ]
    session.say(tables.columns(rows))


def _short_time(stamp: str) -> str:
    """``2006-01-02T15:04:05Z`` as ``02 Jan 06 15:04 UTC``."""
    day, letter, clock = stamp.partition("T")
    parts = day.split("-")
    if not letter or len(parts) != 3 or not parts[1].isdigit() or not 1 <= int(parts[1]) <= 12:
        return stamp
    return f"{parts[2]} {_MONTHS[int(parts[1]) - 1]} {parts[0][2:]} {clock[:5]} UTC"
