"""``kv delete|undelete|destroy|rollback|enable-versioning``: the versions of a secret."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import LOCAL, REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.kv_mount import KvPath, locate
from strongroom.cli.kv_view import MOUNT_HELP
from strongroom.cli.options import text, texts, whole
from strongroom.cli.session import Session


@command(
    "delete",
    "KEY",
    text("-mount", help=MOUNT_HELP),
    texts("-versions", help="Versions to delete: 1,2. The newest without it."),
    output=Output.FORMAT,
)
def delete(session: Session, arguments: tuple[str, ...], mount: str, versions: tuple[str, ...]) -> None:
    """Deletes a secret's newest version, or the named versions. `kv undelete` brings them back (version 2)."""
    expect(arguments, 1)
    place = locate(session.client, arguments[0], mount)
    path, numbers = place.api("data"), _numbers(versions)
    if numbers and not place.versioned:
        raise CommandFailed("Version 1 of the kv store has no versions to delete")
    with reporting(f"Error deleting {path}"):
        if numbers:
            session.client.write(place.api("delete"), {"versions": numbers}, method="POST")
        else:
            session.client.delete(path)
    session.success(f"Data deleted (if it existed) at: {path}")


@command(
    "undelete",
    "KEY",
    text("-mount", help=MOUNT_HELP),
    texts("-versions", help="Versions to bring back: 1,2."),
    output=Output.FORMAT,
)
def undelete(session: Session, arguments: tuple[str, ...], mount: str, versions: tuple[str, ...]) -> None:
    """Brings deleted versions of a secret back."""
    _change_versions(session, arguments, mount, versions, "undelete")


@command(
    "destroy",
    "KEY",
    text("-mount", help=MOUNT_HELP),
    texts("-versions", help="Versions to destroy: 1,2."),
    output=Output.FORMAT,
)
def destroy(session: Session, arguments: tuple[str, ...], mount: str, versions: tuple[str, ...]) -> None:
    """Destroys versions of a secret for ever."""
    _change_versions(session, arguments, mount, versions, "destroy")


@command(
    "rollback",
    "KEY",
    text("-mount", help=MOUNT_HELP),
    whole("-version", help="Version whose content becomes the newest."),
    output=Output.FORMAT,
)
def rollback(session: Session, arguments: tuple[str, ...], mount: str, version: int | None) -> None:
    """Writes the content of an old version as a new one."""
    expect(arguments, 1)
    if version is None or version < 1:
        raise CommandFailed("Version flag must be specified")
    place = _versioned(session, arguments[0], mount, "rollback", REMOTE)
    path = place.api("data")
    metadata = _outer(session, path, None).get("metadata") or {}
    old = _outer(session, path, {"version": str(version)})
    if not isinstance(old.get("data"), dict):
        raise CommandFailed(f"Cannot roll back to a version that is deleted or destroyed: {path}", REMOTE)
    body = {"data": old["data"], "options": {"cas": metadata.get("version", 0)}}
    with reporting(f"Error writing data to {path}"):
        answer = session.client.write(path, body)
    if answer and session.printer.is_table and answer.get("data"):
        session.say(tables.key_values(tables.mapping_pairs(answer["data"])))
        session.warn_of(answer)
    elif answer:
        session.show(answer)


@command("enable-versioning", "MOUNT", output=Output.FORMAT)
def enable_versioning(session: Session, arguments: tuple[str, ...]) -> None:
    """Upgrades a kv store from version 1 to version 2."""
    expect(arguments, 1)
    path = arguments[0].strip("/")
    with reporting(f"Error tuning secrets engine {path}/"):
        answer = session.client.write(f"sys/mounts/{path}/tune", {"options": {"version": "2"}}, method="POST")
    session.success(f"Tuned the secrets engine at: {path}/")
    session.warn_of(answer)


def _change_versions(
    session: Session, arguments: tuple[str, ...], mount: str, versions: tuple[str, ...], verb: str
) -> None:
    expect(arguments, 1)
    numbers = _numbers(versions)
    if not numbers:
        raise CommandFailed(f'No versions provided, use the "-versions" flag to specify the version to {verb}.')
    place = _versioned(session, arguments[0], mount, verb)
    path = place.api(verb)
    with reporting(f"Error writing data to {path}"):
        session.client.write(path, {"versions": numbers}, method="PUT")
    session.success(f"Data written to: {path}")


def _versioned(session: Session, path: str, mount: str, verb: str, exit_code: int = LOCAL) -> KvPath:
    place = locate(session.client, path, mount)
    if not place.versioned:
        raise CommandFailed(f"K/V engine mount must be version 2 for {verb} support", exit_code)
    return place


def _outer(session: Session, path: str, query: dict[str, str] | None) -> dict[str, Any]:
    with reporting(f"Error doing pre-read at {path}"):
        answer = session.client.read(path, query)
    if answer is None:
        raise CommandFailed(f"No value found at {path}", REMOTE)
    return answer.get("data") or {}


def _numbers(words: tuple[str, ...]) -> list[str]:
    numbers = [number.strip() for word in words for number in word.split(",") if number.strip()]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise CommandFailed("-versions takes whole numbers: 1,2")
    return numbers
