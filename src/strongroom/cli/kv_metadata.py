"""``kv metadata get|put|patch|delete``: what is kept about a secret beside its values."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.arguments import parse_text_pairs
from strongroom.cli.errors import LOCAL, REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.kv_mount import locate
from strongroom.cli.kv_notes import given_notes, note_options
from strongroom.cli.kv_view import MOUNT_HELP
from strongroom.cli.options import duration, switch, text, texts, whole
from strongroom.cli.session import Session


@command("get", "KEY", text("-mount", help=MOUNT_HELP), output=Output.FIELD)
def get(session: Session, arguments: tuple[str, ...], mount: str) -> None:
    """Shows a secret's settings and its versions."""
    path = _path(session, arguments, mount)
    answer = session.client.read(path)
    if answer is None:
        raise CommandFailed(f"No value found at {path}", REMOTE)
    if session.printer.field or not session.printer.is_table or answer.get("wrap_info"):
        session.show(answer)
        return
    data = dict(answer.get("data") or {})
    versions = data.pop("versions", None) or {}
    parts = [tables.banner("Metadata Path", len(path)) + f"\n{path}\n", tables.titled("Metadata", data)]
    numbers = sorted(versions, key=lambda number: int(number) if number.isdigit() else 0)
    parts += ["\n" + tables.titled(f"Version {number}", versions[number]) for number in numbers]
    session.say("\n".join(parts))
    session.warn_of(answer)


@command(
    "put",
    "KEY",
    text("-mount", help=MOUNT_HELP),
    whole("-max-versions", help="Number of versions to keep."),
    switch("-cas-required", default=None, help="Every write must name the current version."),
    duration("-delete-version-after", help="Delete a version after this time."),
    texts("-custom-metadata", help="Own note, as key=value. May be repeated; replaces all that were there."),
    *note_options(),
    output=Output.FORMAT,
)
def put(session: Session, arguments: tuple[str, ...], mount: str, **settings: Any) -> None:
    """Sets a secret's settings and notes; a secret that does not exist yet gets an empty place."""
    path, body = _path(session, arguments, mount), _body(settings)
    notes = {**parse_text_pairs(settings["custom_metadata"], "-custom-metadata"), **given_notes(settings)}
    if notes:
        body["custom_metadata"] = notes
    with reporting(f"Error writing data to {path}"):
        session.client.write(path, body)
    session.success(f"Data written to: {path}")


@command(
    "patch",
    "KEY",
    text("-mount", help=MOUNT_HELP),
    whole("-max-versions", help="Number of versions to keep."),
    switch("-cas-required", default=None, help="Every write must name the current version."),
    duration("-delete-version-after", help="Delete a version after this time."),
    texts("-custom-metadata", help="Own note to set, as key=value. May be repeated."),
    texts("-remove-custom-metadata", help="Own note to remove. May be repeated."),
    *note_options(),
    output=Output.FORMAT,
)
def patch(session: Session, arguments: tuple[str, ...], mount: str, **settings: Any) -> None:
    """Changes some of a secret's settings and notes and leaves the others."""
    path, body = _path(session, arguments, mount), _body(settings)
    notes: dict[str, str | None] = {
        **parse_text_pairs(settings["custom_metadata"], "-custom-metadata"),
        **given_notes(settings),
    }
    notes |= dict.fromkeys(settings["remove_custom_metadata"])
    if notes:
        body["custom_metadata"] = notes
    with reporting(f"Error writing data to {path}"):
        session.client.patch(path, body)
    session.success(f"Data written to: {path}")


@command("delete", "KEY", text("-mount", help=MOUNT_HELP))
def delete(session: Session, arguments: tuple[str, ...], mount: str) -> None:
    """Deletes a secret with all of its versions and everything about it, for ever."""
    path = _path(session, arguments, mount)
    with reporting(f"Error deleting {path}"):
        session.client.delete(path)
    session.success(f"Data deleted (if it existed) at: {path}")


def _path(session: Session, arguments: tuple[str, ...], mount: str) -> str:
    expect(arguments, 1)
    place = locate(session.client, arguments[0], mount)
    if not place.versioned:
        raise CommandFailed("Metadata not supported on KV Version 1", LOCAL)
    return place.api("metadata")


def _body(settings: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if settings["max_versions"] is not None and settings["max_versions"] >= 0:
        body["max_versions"] = settings["max_versions"]
    if settings["cas_required"] is not None:
        body["cas_required"] = settings["cas_required"]
    if settings["delete_version_after"]:
        body["delete_version_after"] = settings["delete_version_after"]
    return body
