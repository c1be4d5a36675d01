"""``consumer list|read|delete``: which programs run which versions of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from strongroom.cli import tables
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import text, whole
from strongroom.cli.session import Session
from strongroom.client.http1 import quote

_PATH = "sys/consumers"


@command(
    "list",
    "",
    text("-secret", help="Only those that run this secret, named as for kv get."),
    whole("-older-than", help="Only those that run a version of it below this one.", default=0),
    output=Output.FORMAT,
)
def list_consumers(session: Session, arguments: tuple[str, ...], secret: str, older_than: int) -> int:
    """Lists the programs that reported what they run, or those that run one secret.

    strongroom consumer list -secret=secret/app -older-than=5
    """
    expect(arguments, 0)
    query = {"older_than": str(older_than)} if older_than else {}
    if older_than and not secret:
        raise click.UsageError("-older-than needs -secret")
    with reporting("Error listing consumers"):
        if secret:
            from strongroom.cli.kv_mount import locate

            query["secret"] = locate(session.client, secret, "").api("data")
        answer = session.client.list(_PATH, query)
    info = ((answer or {}).get("data") or {}).get("key_info")
    if not session.printer.is_table:
        session.printer.data(info if isinstance(info, dict) else {})
        return 0 if info else REMOTE
    if not isinstance(info, dict) or not info:
        raise CommandFailed("No consumers found", REMOTE)
    what = "Versions" if secret else "Secrets"
    rows = [_row(name, one, what.lower()) for name in info for one in info[name]["consumers"]]
    session.printer.text(tables.headed(("Consumer", "Kind", "Host", "Reported by", "Last seen", what), rows))
    return 0


@command("read", "NAME", output=Output.FORMAT)
def read(session: Session, arguments: tuple[str, ...]) -> None:
    """Shows every secret that the consumers of a name run, with the version."""
    expect(arguments, 1)
    path = f"{_PATH}/{quote(arguments[0].strip(), safe='')}"
    with reporting(f"Error reading {path}"):
        answer = session.client.read(path)
    if answer is None or not answer.get("data"):
        raise CommandFailed(f"No value found at {path}", REMOTE)
    consumers = answer["data"]["consumers"]
    if not session.printer.is_table:
        session.printer.data(answer)
        return
    for number, one in enumerate(consumers):
        secrets = one["secrets"]
        pairs = [(name, one[name]) for name in sorted(one) if name != "secrets" and one[name] not in ("", None)]
        session.printer.text(("\n" if number else "") + tables.key_values(pairs))
        if secrets:
            rows = [(item["path"], str(item["version"] or ""), item["since"]) for item in secrets]
            session.printer.text("\n" + tables.headed(("Secret", "Version", "Since"), rows))


@command("delete", "NAME", text("-identity", help="Only the one that this identity reported."))
def delete(session: Session, arguments: tuple[str, ...], identity: str) -> None:
    """Forgets the consumers of a name. One that still runs comes back with its next report."""
    expect(arguments, 1)
    path = f"{_PATH}/{quote(arguments[0].strip(), safe='')}"
    with reporting(f"Error deleting {path}"):
        session.client.delete(path, {"identity": identity} if identity else None)
    session.success(f"Forgot any consumers called: {arguments[0].strip()}")


def _row(name: str, one: Mapping[str, Any], what: str) -> tuple[str, ...]:
    found = one[what]
    shown = ", ".join(str(version) for version in found) if isinstance(found, list) else str(found)
    seen = str(one["last_seen_time"]).partition(".")[0] + "Z"
    return (name, str(one["kind"]), str(one["host"]), str(one["display_name"] or one["accessor"]), seen, shown)
