"""What ``kv get`` does. Knows nothing of click, so that it can start at once."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.cli.flags import Quick, text, whole
from strongroom.cli.kv_mount import locate
from strongroom.cli.kv_view import MOUNT_HELP
from strongroom.cli.session import Session

KV_GET = Quick(
    (text("-mount", help=MOUNT_HELP), whole("-version", help="Version to read; the newest without it.", default=0)),
    ("-format", "-field"),
    "strongroom.cli.kv_get:get",
    arity=1,
)


def get(session: Session, arguments: tuple[str, ...], mount: str, version: int) -> None:
    """Show the secret that the one argument names."""
    place = locate(session.client, arguments[0], mount)
    path = place.api("data")
    query = {"version": str(version)} if version > 0 and place.versioned else None
    answer = session.client.read(path, query)
    if answer is None:
        raise CommandFailed(f"No value found at {path}", REMOTE)
    if not place.versioned or answer.get("wrap_info"):
        _show_version_1(session, answer)
        return
    _show_version_2(session, path, answer)


def _show_version_1(session: Session, answer: dict[str, Any]) -> None:
    if session.printer.field or not session.printer.is_table or answer.get("wrap_info"):
        session.show(answer)
        return
    session.say(tables.titled("Data", answer.get("data") or {}))
    session.warn_of(answer)


def _show_version_2(session: Session, path: str, answer: dict[str, Any]) -> None:
    outer = answer.get("data") or {}
    inner, metadata = outer.get("data"), outer.get("metadata")
    if session.printer.field:
        if not isinstance(inner, dict):
            raise CommandFailed(f"No data found at {path}", REMOTE)
        whole_data = session.printer.field == "data" and "data" not in inner
        session.printer.one_field(inner if whole_data else inner.get(session.printer.field), "map")
        return
    if not session.printer.is_table:
        session.show(answer)
        return
    session.say(tables.banner("Secret Path", len(path)) + f"\n{path}\n")
    if isinstance(metadata, dict) and metadata:
        session.say(tables.titled("Metadata", metadata) + "\n")
    if isinstance(inner, dict) and inner:
        session.say(tables.titled("Data", inner))
    session.warn_of(answer)
