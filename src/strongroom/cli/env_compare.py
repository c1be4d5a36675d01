"""``env matrix|diff|missing|reuse``: environments side by side. The server compares, and no value comes here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import FOUND, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, text, texts
from strongroom.cli.session import Session

_EXIT_CODE_HELP = "Exit with 3 where something is found."
_ENVIRONMENTS_HELP = "Environment to compare; all that the token may see without it. May be repeated."


@command(
    "matrix",
    "[PATH]",
    texts("-env", "-e", help=_ENVIRONMENTS_HELP),
    text(
        "-only",
        help="Only keys that are missing, same, different, stale, leaked, overridden, empty or hidden; several with commas.",
    ),
    output=Output.FORMAT,
)
def matrix(session: Session, arguments: tuple[str, ...], env: tuple[str, ...], only: str) -> None:
    """Shows which keys are set in which environment, and which are missing, the same, stale or leaked.

    PATH is a secret or a folder, as it is called below the mount of every environment.

        strongroom env matrix
        strongroom env matrix app
        strongroom env matrix -env=development -env=production -only=missing
    """
    expect(arguments, 0, 1)
    environments, rows = _matrix(session, arguments, env, only)
    _show(session, environments, rows)


@command("diff", "ENVIRONMENT ENVIRONMENT [PATH]", switch("-exit-code", help=_EXIT_CODE_HELP), output=Output.FORMAT)
def diff(session: Session, arguments: tuple[str, ...], exit_code: bool) -> int:  # noqa: FBT001 -- a flag
    """Shows the keys that differ between two environments, or of which the token may not know whether they do.

    strongroom env diff staging production
    """
    expect(arguments, 2, 3)
    wanted = [name.lower() for name in arguments[:2]]
    if wanted[0] == wanted[1]:
        raise CommandFailed("name two different environments")
    environments, rows = _matrix(session, arguments[2:], tuple(wanted), "different")
    _show(session, sorted(environments, key=wanted.index), rows)
    return FOUND if rows and exit_code else 0


@command(
    "missing",
    "[PATH]",
    texts("-env", "-e", help=_ENVIRONMENTS_HELP),
    switch("-exit-code", help=_EXIT_CODE_HELP),
    output=Output.FORMAT,
)
def missing(session: Session, arguments: tuple[str, ...], env: tuple[str, ...], exit_code: bool) -> int:  # noqa: FBT001 -- a flag
    """Shows the keys that are set in one environment and missing in another.

    strongroom env missing
    strongroom env missing -env=staging -env=production -exit-code app
    """
    expect(arguments, 0, 1)
    environments, rows = _matrix(session, arguments, env, "missing")
    _show(session, environments, rows)
    return FOUND if rows and exit_code else 0


@command(
    "reuse",
    "[PATH]",
    texts("-env", "-e", help=_ENVIRONMENTS_HELP),
    switch("-exit-code", help=_EXIT_CODE_HELP),
    output=Output.FORMAT,
)
def reuse(session: Session, arguments: tuple[str, ...], env: tuple[str, ...], exit_code: bool) -> int:  # noqa: FBT001 -- a flag
    """Shows values that are in use in more than one environment, under whatever name.

    strongroom env reuse
    """
    expect(arguments, 0, 1)
    rows = [row for page in _pages(session, "sys/reuse", arguments, env, {}) for row in page.get("rows") or ()]
    if session.printer.is_table:
        lines = [
            (row["environment"], f"{row['path']}#{row['key']}", other["environment"], f"{other['path']}#{other['key']}")
            for row in rows
            for other in row["also"]
        ]
        _say(session, ("Environment", "Key", "Also in", "There"), lines)
    else:
        session.printer.data(rows)
    return FOUND if rows and exit_code else 0


def _matrix(
    session: Session, path: tuple[str, ...], environments: tuple[str, ...], only: str
) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the environments, and all rows."""
    names: list[str] = []
    rows: list[dict[str, Any]] = []
    for page in _pages(session, "sys/matrix", path, environments, {"only": only} if only else {}):
        names = [environment["name"] for environment in page.get("environments") or ()]
        rows += page.get("rows") or ()
    return names, rows


def _pages(
    session: Session, area: str, path: tuple[str, ...], environments: tuple[str, ...], query: dict[str, str]
) -> Iterator[dict[str, Any]]:
    if path and path[0].strip("/"):
        query["path"] = path[0].strip("/")
    if environments:
        query["environments"] = ",".join(environments)
    after = ""
    while True:
        with reporting("Error comparing environments"):
            answer = session.client.read(area, {**query, "after": after} if after else query)
        data = (answer or {}).get("data")
        if not isinstance(data, dict):
            raise CommandFailed("the server does not compare environments")
        yield data
        if not data.get("next") or data["next"] == after:
            return
        after = data["next"]


def _show(session: Session, environments: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    if not session.printer.is_table:
        session.printer.data({"environments": list(environments), "rows": list(rows)})
        return
    lines = [
        (
            f"{row['path']}#{row['key']}" if row["key"] else row["path"],
            *(_words(row["cells"][name]) for name in environments),
        )
        for row in rows
    ]
    _say(session, ("Key", *environments), lines)


def _say(session: Session, head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    if lines:
        session.say(tables.headed(head, lines))
    else:
        session.note("Nothing to show.")


def _words(cell: dict[str, Any]) -> str:
    """A cell in words: what matters most first."""
    said = {
        "same": f"same as {', '.join(cell.get('same_as') or ())}",
        "stale": f"stale ({', '.join(cell.get('stale') or ())})",
    }
    states = [state for state in cell["states"] if state != "set" or len(cell["states"]) == 1]
    return "; ".join(said.get(state, state) for state in states)
