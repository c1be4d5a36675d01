"""How each auth method takes its credentials: what is asked, and what is sent where. A literal table of three."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.cli.prompts import hidden
from strongroom.cli.session import Session
from strongroom.client.client import Client
from strongroom.client.errors import ClientError
from strongroom.client.http1 import quote
from strongroom.logical.secret import Secret

Answer = dict[str, Any]
LogIn = Callable[[Session, Client, str, Mapping[str, str]], "Answer | None"]


@dataclass(frozen=True, slots=True)
class Method:
    """One auth method: its login, and the help that ``auth help`` prints."""

    log_in: LogIn
    help: str


def _userpass(session: Session, client: Client, path: str, given: Mapping[str, str]) -> Answer | None:
    name = given.get("username") or session.environ.get("LOGNAME") or session.environ.get("USER") or ""
    if not name:
        raise CommandFailed("'username' must be given: strongroom login -method=userpass username=NAME")
    password = given.get("password")
    if password is None:
        # A missing terminal is reported like a failed login: that is what scripts around Vault expect.
        try:
            password = hidden(session, "Password", "Pipe it in: password=- <password.txt")
        except CommandFailed as failure:
            raise CommandFailed(f"Error authenticating: {failure.text}", REMOTE) from None
    return client.write(f"auth/{path}/login/{quote(name, safe='')}", {"password": password})


def _approle(session: Session, client: Client, path: str, given: Mapping[str, str]) -> Answer | None:
    role = given.get("role_id")
    if not role:
        raise CommandFailed("'role_id' must be given: strongroom login -method=approle role_id=ID secret_id=-")
    secret = given.get("secret_id")
    if secret is None:
        secret = hidden(session, "Secret ID", "Pipe it in: secret_id=- <secret-id.txt")
    return client.write(f"auth/{path}/login", {"role_id": role, "secret_id": secret.strip()})


def _token(session: Session, client: Client, path: str, given: Mapping[str, str]) -> Answer | None:
    """Not a login but a look: whether the token is good, and what it may."""
    del path
    token = given.get("token")
    if token is None:
        token = hidden(session, "Token", "Pipe it in: strongroom login - <token.txt")
    token = token.strip()
    if not token:
        raise CommandFailed("Error authenticating: the token is empty", REMOTE)
    if given.get("lookup", "true").lower() in {"false", "f", "0"}:
        return {"auth": {"client_token": token}}
    with session.client_with(client.settings._replace(token=Secret(token))) as asking:
        try:
            found = (asking.read("auth/token/lookup-self") or {}).get("data") or {}
        except ClientError as error:
            raise CommandFailed(f"Error authenticating: error looking up token: {error}", REMOTE) from None
    return {
        "auth": {
            "client_token": token,
            "accessor": found.get("accessor", ""),
            "policies": found.get("policies"),
            "token_policies": found.get("policies"),
            "metadata": found.get("meta"),
            "lease_duration": found.get("ttl", 0),
            "renewable": found.get("renewable", False),
            "entity_id": found.get("entity_id", ""),
        }
    }


METHODS: Mapping[str, Method] = {
    "approle": Method(
        _approle,
        "Usage: strongroom login -method=approle role_id=ID [secret_id=-]\n\n"
        "  Logs a program in by its role. The secret ID is asked for, or read from standard input.\n\n"
        "Configuration:\n\n"
        "  role_id=<string>\n      The ID of the role.\n\n"
        "  secret_id=<string>\n      The secret ID. Better: secret_id=- (standard input) or secret_id=@file.",
    ),
    "token": Method(
        _token,
        "Usage: strongroom login [-]\n\n"
        "  Logs in with a token that you have. It is asked for; - reads it from standard input.\n\n"
        "Configuration:\n\n"
        "  token=<string>\n      The token.\n\n"
        "  lookup=<bool>\n      Whether to ask the server about the token first (true).",
    ),
    "userpass": Method(
        _userpass,
        "Usage: strongroom login -method=userpass [username=NAME] [password=-]\n\n"
        "  Logs a person in by name and password. The password is asked for, or read from standard input.\n\n"
        "Configuration:\n\n"
        "  username=<string>\n      The name; yours on this machine without it.\n\n"
        "  password=<string>\n      The password. Better: leave it out, or password=- (standard input).",
    ),
}
