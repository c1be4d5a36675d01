"""``login`` and ``print token``."""

from __future__ import annotations

from typing import Any

from strongroom.cli.arguments import parse_data
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.login_methods import METHODS
from strongroom.cli.options import switch, text
from strongroom.cli.prompts import standard_input
from strongroom.cli.session import Session
from strongroom.client.settings import variable
from strongroom.client.token_helper import TokenHelper
from strongroom.logical.secret import Secret

_NOT_STORED = (
    "The token was not stored in the token helper. Set STRONGROOM_TOKEN (or VAULT_TOKEN), or\n"
    "pass the token below with each request.\n"
)
_STORED = (
    "Success! You are now authenticated. The token information displayed below is\n"
    'already stored in the token helper. You do NOT need to run "strongroom login"\n'
    "again. Future requests will automatically use this token.\n"
)
_SHADOWED = (
    "WARNING! A token is set in the environment (STRONGROOM_TOKEN, BAO_TOKEN or VAULT_TOKEN), and it\n"
    "takes precedence over the one that is stored now; unset it if that is not wanted.\n"
)


@command(
    "login",
    "[TOKEN | K=V...]",
    text("-method", help="Auth method: token, userpass or approle.", default="token"),
    text("-path", help="Where the method is enabled; its name without this."),
    switch("-no-store", help="Do not keep the token in ~/.vault-token."),
    switch("-no-print", help="Print nothing about the token."),
    switch("-token-only", help="Print the token and nothing else, and do not keep it."),
    output=Output.FIELD,
)
def login(session: Session, arguments: tuple[str, ...], method: str, path: str, **flags: bool) -> None:
    """Logs in and keeps the token in ~/.vault-token, where every other Vault client finds it.

    Credentials are asked for; K=- reads one from standard input.

        strongroom login
        strongroom login -method=userpass username=ana
        strongroom login -method=approle role_id=... secret_id=- <secret-id.txt
    """
    kind = method.strip().lower()
    if kind not in METHODS:
        known = ", ".join(METHODS)
        raise CommandFailed(f"Unknown auth method: {kind}. This command knows {known}; others only through the API.")
    no_store = flags["no_store"] or flags["token_only"]
    given = _credentials(session, arguments, kind)
    anonymous = session.client_with(session.settings._replace(token=None))
    with reporting("Error authenticating"):
        answer = METHODS[kind].log_in(session, anonymous, (path or kind).strip().strip("/"), given)
        answer = _unwrapped(session, answer, keep=no_store)
    if not flags["token_only"] and not no_store:
        TokenHelper(session.environ).store(Secret(_token_of(answer)))
        if variable(session.environ, "TOKEN"):
            session.note(_SHADOWED)
    _show(session, answer, no_store=no_store, **{name: flags[name] for name in ("no_print", "token_only")})


@command("token", "", remote=False)
def print_token(session: Session, arguments: tuple[str, ...]) -> None:
    """Prints the token that the next command would use."""
    expect(arguments, 0)
    token = session.settings.token
    session.say(token.reveal() if token else "")


def _credentials(session: Session, arguments: tuple[str, ...], kind: str) -> dict[str, str]:
    words = list(arguments)
    given: dict[str, str] = {}
    if kind == "token" and words and "=" not in words[0]:
        first = words.pop(0)
        given["token"] = standard_input() if first == "-" else first
    try:
        return given | {name: str(value) for name, value in parse_data(session, words, ask=False).items()}
    except CommandFailed as failure:
        text = failure.text.removeprefix("Failed to parse K=V data: ")
        raise CommandFailed(f"Error parsing configuration: {text}") from None


def _unwrapped(session: Session, answer: dict[str, Any] | None, *, keep: bool) -> dict[str, Any]:
    """The login's answer; where it came wrapped and is to be stored, what was inside."""
    if answer is None:
        raise CommandFailed("The server gave no token", REMOTE)
    wrap = answer.get("wrap_info")
    if wrap and not keep:
        settings = session.settings._replace(token=Secret(str(wrap.get("token", ""))), wrap_ttl="")
        answer = session.client_with(settings).write("sys/wrapping/unwrap") or {}
    if (answer.get("auth") or {}).get("mfa_requirement"):
        raise CommandFailed("The server asks for a second factor, which this command cannot give yet", REMOTE)
    return answer


def _token_of(answer: dict[str, Any]) -> str:
    token = (answer.get("auth") or answer.get("wrap_info") or {}).get("client_token") or (
        answer.get("wrap_info") or {}
    ).get("token")
    if not token:
        raise CommandFailed("The server gave no token", REMOTE)
    return str(token)


def _show(session: Session, answer: dict[str, Any], *, no_store: bool, no_print: bool, token_only: bool) -> None:
    if token_only:
        session.printer.bare(_token_of(answer))
        return
    if no_print:
        return
    if no_store:
        session.note(_NOT_STORED)
    elif session.printer.is_table and not session.printer.field:
        session.say(_STORED)
    session.show(answer)
