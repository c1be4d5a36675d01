"""``env promote``: values go from one environment to the next above it. The server copies and draws; no value comes here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from strongroom.cli import tables
from strongroom.cli.arguments import parse_text_pairs
from strongroom.cli.errors import CommandFailed, reporting, visible
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, text, texts
from strongroom.cli.prompts import confirmed
from strongroom.cli.session import Session

_WORDS = {
    "add": "add a copy",
    "change": "replace with a copy",
    "generate": "generate a value",
    "same": "leave: it is the same",
    "kept": "leave: it has its own value",
    "refused": "REFUSED: would be in use in both",
}


@command(
    "promote",
    "PATH[#KEY]",
    text("-from", help="Environment that has the values."),
    text("-to", help="Environment that gets them; it must be more sensitive."),
    texts(
        "-generate",
        help="Key that gets a fresh value instead of a copy, as key=kind (password, alphanumeric, digits, hex, base64, token; password:24). May be repeated.",
    ),
    switch("-overwrite", help="Replace values that are there already, too."),
    switch("-dry-run", help="Show what would happen, and do nothing."),
    switch("-yes", "-y", help="Do not ask."),
    output=Output.FORMAT,
)
def promote(
    session: Session,
    arguments: tuple[str, ...],
    *,
    generate: tuple[str, ...],
    overwrite: bool,
    dry_run: bool,
    yes: bool,
    **environments: str,
) -> None:
    """Brings a key, a secret, or all secrets of a folder from one environment to a more sensitive one.

    What would happen is shown first. A value that the guard against reuse compares is not copied: have one generated with -generate.
    Keys that have a value there already keep it, unless they are named or -overwrite is given.

        strongroom env promote -from=development -to=staging app
        strongroom env promote -from=staging -to=production -generate=password=password:32 app#password
    """
    expect(arguments, 1)
    path, mark, key = arguments[0].partition("#")
    if not path or (mark and not key):
        # It would be everything that the secret, or the environment, has: what an empty variable must not ask for.
        raise CommandFailed(
            "name a secret or a folder, / for all of the environment; and behind # a key, if one is meant"
        )
    path = path.strip("/")
    source, target = environments["from"], environments["to"]
    if not source or not target:
        raise CommandFailed("name both environments: -from=... -to=...")
    asked = {
        "path": path,
        "from": source,
        "to": target,
        "keys": [key] if key else [],
        "generate": parse_text_pairs(generate, "-generate"),
        "overwrite": overwrite,
    }
    plan = _ask(session, asked)
    is_possible = bool(plan["check"])
    if session.printer.is_table:
        session.say(_table(plan["secrets"]))
    if dry_run or not is_possible:
        if not session.printer.is_table:
            session.printer.data(plan)
        _conclude(plan, dry_run=dry_run)
        return
    if not yes and not confirmed(
        session, f"Promote this from {plan['from']} to {plan['to']}?", "Look at it with -dry-run, and give -yes."
    ):
        raise CommandFailed("nothing was promoted")
    done = _ask(session, {**asked, "check": plan["check"]})
    if not session.printer.is_table:
        session.printer.data(done)
    session.success(f"Promoted from {done['from']} to {done['to']}: {path}")


def _ask(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    with reporting("Error promoting"):
        answer = session.client.write("sys/promote", body)
    data = (answer or {}).get("data")
    if not isinstance(data, dict) or "secrets" not in data:
        raise CommandFailed("the server does not promote")
    session.warn_of(answer)
    return data


def _table(secrets: Sequence[dict[str, Any]]) -> str:
    rows = [
        (f"{secret['path']}#{key}", _WORDS.get(action, action))
        for secret in secrets
        for key, action in secret["keys"].items()
    ]
    return tables.headed(("Key", "What happens"), rows)


def _conclude(plan: dict[str, Any], *, dry_run: bool) -> None:
    refused = [key for secret in plan["secrets"] for key, action in secret["keys"].items() if action == "refused"]
    if refused:
        raise CommandFailed(
            f"{len(refused)} of the values may not be in use in both environments: have them generated (-generate={visible(refused[0], kept='')}=password), "
            "name other keys, or declare what is no secret in shared_values of the lower environment"
        )
    if not dry_run:
        raise CommandFailed("there is nothing to promote: all of it is there already")
