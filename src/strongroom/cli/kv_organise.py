"""``kv search|move|copy|rename|expiring|critical``: finding secrets and changing their places. No value comes here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import duration, switch, text, texts
from strongroom.cli.session import Session

_BELOW_HELP = "Folder to look in, with the path of its mount; everything without it."


@command(
    "search",
    "NAME",
    text("-path", help=_BELOW_HELP),
    texts("-env", "-e", help="Only in this environment. May be repeated."),
    switch("-keys", help="Look for names of keys within secrets, too."),
    output=Output.FORMAT,
)
def search(session: Session, arguments: tuple[str, ...], path: str, env: tuple[str, ...], keys: bool) -> int:  # noqa: FBT001 -- a flag
    """Finds secrets by their names, wherever the token may list them.

    NAME is a part of the path in any letters, or a pattern with * and ?.

        strongroom kv search db
        strongroom kv search -keys -env=production '*_URL'
    """
    expect(arguments, 1)
    query = {
        "name": arguments[0],
        "path": path.strip("/"),
        "environments": ",".join(env),
        "keys": "true" if keys else "",
    }
    asked = {name: value for name, value in query.items() if value}
    found = [one for page in _pages(session, "sys/secrets/search", asked) for one in page.get("secrets") or ()]
    if session.printer.is_table:
        rows = [(one["path"], ", ".join(one["keys"]), one["environment"]) for one in found]
        if rows:
            session.say(tables.headed(("Path", "Keys", "Environment"), rows))
        else:
            session.note("Nothing of that name is there, as far as you may list.")
    else:
        session.printer.data(found)
    return 0 if found else REMOTE


@command("move", "FROM TO", output=Output.FORMAT)
def move(session: Session, arguments: tuple[str, ...]) -> None:
    """Moves a secret with all its versions and notes; with a slash at both ends, all secrets of a folder.

    strongroom kv move secret/app secret/team/app
    strongroom kv move secret/old/ secret/new/
    """
    expect(arguments, 2)
    _transfer(session, "move", *arguments)


@command("copy", "FROM TO", output=Output.FORMAT)
def copy(session: Session, arguments: tuple[str, ...]) -> None:
    """Copies a secret with all its versions and notes; with a slash at both ends, all secrets of a folder.

    Into another environment values are promoted instead: strongroom env promote.

        strongroom kv copy secret/app secret/team/app
    """
    expect(arguments, 2)
    _transfer(session, "copy", *arguments)


@command("rename", "PATH NAME", output=Output.FORMAT)
def rename(session: Session, arguments: tuple[str, ...]) -> None:
    """Gives a secret another name in its folder. Its versions and notes stay.

    strongroom kv rename secret/team/app web
    """
    expect(arguments, 2)
    path, name = arguments[0].strip("/"), arguments[1]
    folder, slash, _ = path.rpartition("/")
    if not slash or "/" in name or not name:
        raise CommandFailed(
            "rename takes the path of a secret and its new name, which has no slash; 'kv move' takes two paths"
        )
    _transfer(session, "move", path, f"{folder}/{name}")


@command(
    "expiring",
    "[PATH]",
    duration("-within", help="What expires until then; what has a reminder by now without it."),
    output=Output.FORMAT,
)
def expiring(session: Session, arguments: tuple[str, ...], within: str) -> None:
    """Lists secrets whose note expires_at is near or past, the soonest first.

    strongroom kv expiring
    strongroom kv expiring -within=30d secret/team
    """
    expect(arguments, 0, 1)
    _noted(session, "sys/secrets/expiring", arguments, {"within": within} if within else {})


@command(
    "critical",
    "[PATH]",
    text("-least", help="low, medium, high or critical: the least that is shown.", default="low"),
    output=Output.FORMAT,
)
def critical(session: Session, arguments: tuple[str, ...], least: str) -> None:
    """Lists secrets by their note criticality, the most critical first.

    strongroom kv critical -least=high
    """
    expect(arguments, 0, 1)
    _noted(session, "sys/secrets/critical", arguments, {"least": least})


def list_tree(session: Session, path: str) -> int:
    """Prints every secret below ``path``, page by page. Exit code 2 where there is none."""
    query = {"path": path} if path else {}
    found = [key for page in _pages(session, "sys/secrets/tree", query, lists=True) for key in page.get("keys") or ()]
    if not found:
        raise CommandFailed(f"No entries found at {path or 'any mount'}", REMOTE)
    session.printer.listing(found)
    return 0


def _pages(session: Session, path: str, query: dict[str, str], *, lists: bool = False) -> Iterator[dict[str, Any]]:
    """The data of each page that the server answers, to the last one."""
    after = ""
    while True:
        asked = {**query, "after": after} if after else query
        with reporting(f"Error reading {path}"):
            answer = session.client.list(path, asked) if lists else session.client.read(path, asked)
        data = (answer or {}).get("data")
        if not isinstance(data, dict):
            return
        yield data
        if not data.get("next") or data["next"] == after:
            return
        after = data["next"]


def _transfer(session: Session, way: str, source: str, target: str) -> None:
    with reporting(f"Error: could not {way} {source}"):
        answer = session.client.write(f"sys/secrets/{way}", {"from": source.lstrip("/"), "to": target.lstrip("/")})
    done = ((answer or {}).get("data") or {}).get("secrets") or []
    if not session.printer.is_table:
        session.printer.data(done)
        return
    rows = [(one["from"], one["to"], str(one["versions"] or "")) for one in done]
    session.say(tables.headed(("From", "To", "Versions"), rows))
    session.warn_of(answer)


def _noted(session: Session, area: str, path: tuple[str, ...], query: dict[str, str]) -> None:
    if path and path[0].strip("/"):
        query["path"] = path[0].strip("/")
    with reporting("Error listing secrets"):
        data = (session.client.read(area, query) or {}).get("data") or {}
    found = data.get("secrets") or []
    if not session.printer.is_table:
        session.printer.data(found)
        return
    rows = [
        (one["path"], one["expires_at"] + (" (expired)" if one["is_expired"] else ""), one["criticality"], one["owner"])
        for one in found
    ]
    if rows:
        session.say(tables.headed(("Path", "Expires", "Criticality", "Owner"), rows))
    else:
        session.note("There is none, as far as you may list and read.")
    if data.get("is_cut"):
        session.note("There are more; name a folder.")
