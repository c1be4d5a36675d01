"""``token create|lookup|renew|revoke|capabilities``. A token as an argument may always be ``-``: standard input."""

from __future__ import annotations

from typing import Any

import click

from strongroom.cli.arguments import parse_text_pairs
from strongroom.cli.errors import CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import duration, switch, text, texts, whole
from strongroom.cli.prompts import standard_input
from strongroom.cli.session import Session
from strongroom.client.http1 import quote


@command(
    "create",
    "",
    texts("-policy", help="Policy of the token. May be repeated; those of yours without it."),
    duration("-ttl", help="How long it lives, unless renewed."),
    duration("-explicit-max-ttl", help="How long it lives, whatever happens."),
    duration("-period", help="It lives on as long as it is renewed within this time."),
    switch("-renewable", default=True, help="Whether it can be renewed (true)."),
    switch("-orphan", help="It does not die with yours."),
    switch("-no-default-policy", help="Without the policy called default."),
    whole("-use-limit", help="It dies after so many uses.", default=0),
    text("-role", help="Create it by this token role."),
    text("-type", help="service or batch."),
    text("-display-name", help="Name in the audit log."),
    text("-entity-alias", help="Alias of the entity that it shall belong to (with -role)."),
    texts("-metadata", help="Note about it, as key=value. May be repeated."),
    output=Output.FIELD,
)
def create(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Creates a token.

    strongroom token create -policy=app -ttl=1h
    """
    expect(arguments, 0)
    body = {
        "policies": list(flags["policy"]),
        "meta": parse_text_pairs(flags["metadata"], "-metadata"),
        "ttl": flags["ttl"],
        "explicit_max_ttl": flags["explicit_max_ttl"],
        "period": flags["period"],
        "renewable": flags["renewable"],
        "no_default_policy": flags["no_default_policy"],
        "num_uses": flags["use_limit"],
        "display_name": flags["display_name"],
        "type": flags["type"],
        "entity_alias": flags["entity_alias"],
    }
    # What was not given is the server's to decide.
    body = {name: value for name, value in body.items() if value or value is False}
    path = "auth/token/create-orphan" if flags["orphan"] else "auth/token/create"
    if flags["role"]:
        path = f"auth/token/create/{quote(flags['role'], safe='')}"
    with reporting("Error creating token"):
        answer = session.client.write(path, body, method="POST")
    session.show(answer or {})


@command(
    "lookup",
    "[TOKEN | ACCESSOR]",
    switch("-accessor", help="The argument is an accessor."),
    output=Output.FIELD,
)
def lookup(session: Session, arguments: tuple[str, ...], accessor: bool) -> None:  # noqa: FBT001 -- a flag
    """Shows a token: yours, or the named one."""
    expect(arguments, 1 if accessor else 0, 1)
    with reporting("Error looking up token"):
        if accessor:
            answer = session.client.write("auth/token/lookup-accessor", {"accessor": arguments[0]}, method="POST")
        elif arguments:
            answer = session.client.write("auth/token/lookup", {"token": _token(arguments[0])}, method="POST")
        else:
            answer = session.client.request("GET", "auth/token/lookup-self").json()
    session.show(answer or {})


@command(
    "renew",
    "[TOKEN | ACCESSOR]",
    switch("-accessor", help="The argument is an accessor."),
    duration("-increment", "-i", help="How long it shall live from now; the server may give less."),
    output=Output.FORMAT,
)
def renew(session: Session, arguments: tuple[str, ...], accessor: bool, increment: str) -> None:  # noqa: FBT001 -- a flag
    """Lets a token live on: yours, or the named one."""
    expect(arguments, 1 if accessor else 0, 1)
    body: dict[str, Any] = {"increment": increment} if increment else {}
    path = "auth/token/renew-self"
    if accessor:
        path, body = "auth/token/renew-accessor", body | {"accessor": arguments[0]}
    elif arguments:
        path, body = "auth/token/renew", body | {"token": _token(arguments[0])}
    with reporting("Error renewing token"):
        answer = session.client.write(path, body)
    session.show(answer or {})


@command(
    "revoke",
    "[TOKEN | ACCESSOR]",
    switch("-accessor", help="The argument is an accessor."),
    switch("-self", help="The token that you are logged in with."),
    text("-mode", help='"orphan": its children live on. "path": all tokens created at this path.'),
)
def revoke(session: Session, arguments: tuple[str, ...], mode: str, **flags: bool) -> None:
    """Revokes a token, with all tokens and leases that came from it."""
    accessor, own = flags["accessor"], flags["self"]
    if own and arguments:
        raise click.UsageError(f"Too many arguments with -self (expected 0, got {len(arguments)})")
    if not own and len(arguments) != 1:
        few = "Not enough" if not arguments else "Too many"
        raise click.UsageError(f"{few} arguments (expected 1 or -self, got {len(arguments)})")
    if mode not in {"", "orphan", "path"}:
        raise click.UsageError('-mode must be "orphan" or "path"')
    if mode and (own or accessor):
        raise click.UsageError("-mode cannot be given together with -self or -accessor")
    path, body = _revocation("" if own else _token(arguments[0]), mode, accessor=accessor, own=own)
    with reporting("Error revoking token"):
        session.client.write(path, body)
    session.success("Revoked token (if it existed)")


@command(
    "capabilities",
    "[TOKEN | ACCESSOR] PATH",
    switch("-accessor", help="The first argument is an accessor."),
    output=Output.FORMAT,
)
def capabilities(session: Session, arguments: tuple[str, ...], accessor: bool) -> None:  # noqa: FBT001 -- a flag
    """Shows what a token may do at a path: yours, or the named one."""
    expect(arguments, 2 if accessor else 1, 2)
    path, call, body = arguments[-1], "sys/capabilities-self", {}
    if accessor:
        call, body = "sys/capabilities-accessor", {"accessor": arguments[0]}
    elif len(arguments) == 2:
        call, body = "sys/capabilities", {"token": _token(arguments[0])}
    with reporting("Error listing capabilities"):
        answer = session.client.write(call, {**body, "path": path}, method="POST") or {}
    data = answer.get("data") or answer
    found = sorted(data.get("capabilities") or data.get(path) or [])
    if session.printer.is_table:
        session.say(", ".join(map(str, found)))
    else:
        session.printer.data(found)


def _revocation(token: str, mode: str, *, accessor: bool, own: bool) -> tuple[str, dict[str, str] | None]:
    if own:
        return "auth/token/revoke-self", None
    if accessor:
        return "auth/token/revoke-accessor", {"accessor": token}
    if mode == "path":
        return f"sys/leases/revoke-prefix/{token}", None
    return ("auth/token/revoke-orphan" if mode == "orphan" else "auth/token/revoke"), {"token": token}


def _token(word: str) -> str:
    token = (standard_input() if word == "-" else word).strip()
    if not token:
        raise CommandFailed("the token is empty")
    return token
