"""``kv get|put|patch|list``: the daily four."""

from __future__ import annotations

from typing import Any

from strongroom.cli.arguments import parse_data
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.kv_get import KV_GET
from strongroom.cli.kv_get import get as get_one
from strongroom.cli.kv_mount import locate
from strongroom.cli.kv_view import MOUNT_HELP, show_written
from strongroom.cli.listing import show_listing
from strongroom.cli.options import switch, text, texts, whole
from strongroom.cli.session import Session
from strongroom.client.errors import ApiError


@command("get", "KEY", *KV_GET.flags, output=Output.FIELD)
def get(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Reads a secret.

    strongroom kv get -mount=secret app
    strongroom kv get -field=password secret/app
    """
    expect(arguments, 1)
    get_one(session, arguments, **flags)


@command(
    "put",
    "KEY [K=V...]",
    text("-mount", help=MOUNT_HELP),
    whole("-cas", help="Write only if this is the current version; 0: only if there is none.", default=-1),
    output=Output.FIELD,
)
def put(session: Session, arguments: tuple[str, ...], mount: str, cas: int) -> None:
    """Writes a secret: all of its keys.

    Keep values off the command line: K=- reads standard input, K=@file a file, a bare K asks.

        strongroom kv put -mount=secret app password=- <password.txt
        strongroom kv put -mount=secret app @app.json
    """
    expect(arguments, 1, len(arguments))
    data = parse_data(session, arguments[1:])
    if len(arguments) == 1:
        raise CommandFailed("Must supply data")
    place = locate(session.client, arguments[0], mount)
    path = place.api("data")
    body: dict[str, Any] = data
    if place.versioned:
        body = {"data": data, "options": {"cas": cas} if cas >= 0 else {}}
    with reporting(f"Error writing data to {path}"):
        answer = session.client.write(path, body)
    show_written(session, path, answer)


@command(
    "patch",
    "KEY [K=V...]",
    text("-mount", help=MOUNT_HELP),
    whole("-cas", help="Write only if this is the current version.", default=-1),
    text("-method", help='"patch" (a merge patch) or "rw" (read, then write). Without it: patch, else rw.'),
    texts("-remove-data", help="Key to remove. May be repeated."),
    output=Output.FIELD,
)
def patch(
    session: Session, arguments: tuple[str, ...], mount: str, cas: int, method: str, remove_data: tuple[str, ...]
) -> None:
    """Changes some keys of a secret and leaves the others. Version 2 only.

    strongroom kv patch -mount=secret app password=-
    """
    expect(arguments, 1, len(arguments))
    if method not in {"", "patch", "rw"}:
        raise CommandFailed('-method must be "patch" or "rw"')
    data: dict[str, Any] = parse_data(session, arguments[1:])
    if not data and not remove_data:
        raise CommandFailed("Must supply data")
    data |= dict.fromkeys(remove_data)
    place = locate(session.client, arguments[0], mount)
    if not place.versioned:
        raise CommandFailed("K/V engine mount must be version 2 for patch support", REMOTE)
    path = place.api("data")
    with reporting(f"Error writing data to {path}"):
        answer = _patched(session, path, data, cas, method)
    show_written(session, path, answer)


@command(
    "list",
    "PATH",
    text("-mount", help=MOUNT_HELP),
    switch("-recursive", "-r", help="All secrets in the folders below, too, as far as the token may list them."),
    output=Output.FORMAT,
)
def list_keys(session: Session, arguments: tuple[str, ...], mount: str, recursive: bool) -> int:  # noqa: FBT001 -- a flag
    """Lists the secrets and folders below a path.

    strongroom kv list secret/
    strongroom kv list -r secret/team
    """
    if mount and not arguments:
        arguments = ("",)
    expect(arguments, 1)
    if recursive:
        from strongroom.cli.kv_organise import list_tree

        return list_tree(session, "/".join(part for part in (mount.strip("/"), arguments[0].strip("/")) if part))
    place = locate(session.client, arguments[0], mount)
    path = place.api("metadata")
    with reporting(f"Error listing {path}"):
        answer = session.client.list(path)
    return show_listing(session, path, answer)


def _patched(session: Session, path: str, data: dict[str, Any], cas: int, method: str) -> dict[str, Any] | None:
    if method != "rw":
        options = {"cas": cas} if cas >= 0 else {}
        try:
            return session.client.patch(path, {"data": data, "options": options})
        except ApiError as error:
            # A server or a policy without patch: 405 or 403. Reading and writing may still be allowed.
            if method == "patch" or error.status not in {403, 405}:
                raise
    current = session.client.read(path)
    inner = (current or {}).get("data") or {}
    if not isinstance(inner.get("data"), dict):
        raise CommandFailed(f"No value found at {path}", REMOTE)
    merged = {name: value for name, value in {**inner["data"], **data}.items() if value is not None or name not in data}
    version = cas if cas >= 0 else inner.get("metadata", {}).get("version", 0)
    return session.client.write(path, {"data": merged, "options": {"cas": version}})
