"""``lease list|lookup|renew|revoke``."""

from __future__ import annotations

from typing import Any

import click

from strongroom.cli.errors import reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.listing import show_listing
from strongroom.cli.options import duration, switch
from strongroom.cli.session import Session

_FORCED = "Warning! Force-removing leases can leave credentials alive that nobody keeps track of\nany longer!"


@command("list", "PREFIX", output=Output.FORMAT)
def list_leases(session: Session, arguments: tuple[str, ...]) -> int:
    """Lists the leases below a path."""
    expect(arguments, 1)
    path = f"sys/leases/lookup/{arguments[0].strip('/')}"
    with reporting(f"Error listing {path}"):
        answer = session.client.list(path)
    return show_listing(session, path, answer)


@command("lookup", "ID", output=Output.FORMAT)
def lookup(session: Session, arguments: tuple[str, ...]) -> None:
    """Shows a lease."""
    expect(arguments, 1)
    with reporting(f"error looking up lease id {arguments[0]}"):
        answer = session.client.write("sys/leases/lookup", {"lease_id": arguments[0]})
    session.show(answer or {})


@command(
    "renew",
    "ID",
    duration("-increment", "-i", help="How long it shall live from now; the server may give less."),
    output=Output.FORMAT,
)
def renew(session: Session, arguments: tuple[str, ...], increment: str) -> None:
    """Lets a lease live on."""
    expect(arguments, 1)
    body: dict[str, Any] = {"lease_id": arguments[0]}
    if increment:
        body["increment"] = increment
    with reporting(f"Error renewing {arguments[0]}"):
        answer = session.client.write("sys/leases/renew", body)
    session.show(answer or {})


@command(
    "revoke",
    "ID",
    switch("-prefix", help="ID is a path: revoke every lease below it."),
    switch("-force", "-f", help="With -prefix: forget them even where revoking fails."),
    switch("-sync", help="Wait until it is done."),
)
def revoke(session: Session, arguments: tuple[str, ...], **flags: bool) -> None:
    """Revokes a lease: its credential stops working."""
    expect(arguments, 1)
    lease = arguments[0].strip()
    if flags["force"] and not flags["prefix"]:
        raise click.UsageError("Specifying -force requires also specifying -prefix")
    if flags["force"]:
        session.note(_FORCED)
        with reporting(f"Error force revoking leases with prefix {lease}"):
            session.client.write(f"sys/leases/revoke-force/{lease.strip('/')}")
        session.success(f"Force revoked any leases with prefix: {lease}")
        return
    path, body = "sys/leases/revoke", {"lease_id": lease, "sync": flags["sync"]}
    done = f"Revoked lease: {lease}"
    if flags["prefix"]:
        path, body = f"sys/leases/revoke-prefix/{lease.strip('/')}", {"sync": flags["sync"]}
        done = f"Revoked any leases with prefix: {lease}"
    with reporting(f"Error revoking {'leases with prefix' if flags['prefix'] else 'lease'} {lease}"):
        session.client.write(path, body)
    if flags["sync"]:
        session.success(done)
    else:
        session.say("All revocation operations queued successfully!")
