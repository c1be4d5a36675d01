"""``auth enable|list|disable|tune|move|help``."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.login_methods import METHODS
from strongroom.cli.mounting import (
    detailed_head,
    detailed_row,
    enable_options,
    enabling,
    mount_table,
    move,
    tune_options,
    tuning,
    with_slash,
)
from strongroom.cli.options import duration, switch, text, whole
from strongroom.cli.session import Session

_TYPE_HELP = "Type of its tokens: default-service, default-batch, service or batch."


@command("enable", "TYPE", *enable_options(), *tune_options(), text("-token-type", help=_TYPE_HELP))
def enable(session: Session, arguments: tuple[str, ...], token_type: str, **flags: Any) -> None:
    """Enables an auth method.

    strongroom auth enable -path=people userpass
    """
    expect(arguments, 1)
    kind = arguments[0].strip()
    path = with_slash(flags["path"] or kind)
    body = enabling(kind, flags)
    if token_type:
        body["config"]["token_type"] = token_type
    with reporting(f"Error enabling {kind} auth"):
        answer = session.client.write(f"sys/auth/{path.rstrip('/')}", body, method="POST")
    session.success(f"Enabled {kind} auth method at: {path}")
    session.warn_of(answer)


@command("list", "", switch("-detailed", help="Show everything about each."), output=Output.FORMAT)
def list_methods(session: Session, arguments: tuple[str, ...], detailed: bool) -> None:  # noqa: FBT001 -- a flag
    """Lists the auth methods that are enabled."""
    expect(arguments, 0)
    mounts = mount_table(session, "sys/auth", "Error listing enabled authentications")
    if not session.printer.is_table:
        session.printer.data(mounts)
    elif detailed:
        rows = [
            detailed_row(path, mount, [str(mount["config"].get("token_type", ""))]) for path, mount in mounts.items()
        ]
        session.say(tables.headed(detailed_head(is_auth=True), rows))
    else:
        rows = [
            [path, mount["type"], mount["accessor"], mount["description"], mount["plugin_version"]]
            for path, mount in mounts.items()
        ]
        session.say(tables.headed(("Path", "Type", "Accessor", "Description", "Version"), rows))


@command("disable", "PATH")
def disable(session: Session, arguments: tuple[str, ...]) -> None:
    """Disables an auth method: revokes the tokens that it gave out and deletes all that it holds."""
    expect(arguments, 1)
    path = with_slash(arguments[0])
    with reporting(f"Error disabling auth method at {path}"):
        session.client.delete(f"sys/auth/{path.rstrip('/')}")
    session.success(f"Disabled the auth method (if it existed) at: {path}")


@command(
    "tune",
    "PATH",
    *tune_options(),
    text("-token-type", help=_TYPE_HELP),
    whole("-user-lockout-threshold", help="Failed logins after which a user is locked out."),
    duration("-user-lockout-duration", help="How long."),
    duration("-user-lockout-counter-reset-duration", help="After what time without failure the count begins anew."),
    switch("-user-lockout-disable", default=None, help="Never lock a user out."),
)
def tune(session: Session, arguments: tuple[str, ...], token_type: str, **flags: Any) -> None:
    """Changes how an auth method behaves; what is not given stays as it is."""
    expect(arguments, 1)
    path = with_slash(arguments[0])
    body = tuning(flags)
    if token_type:
        body["token_type"] = token_type
    lockout = {
        name.removeprefix("user_"): flags[name]
        for name in ("user_lockout_duration", "user_lockout_counter_reset_duration", "user_lockout_disable")
        if flags[name] not in {None, ""}
    }
    if flags["user_lockout_threshold"] is not None:
        lockout["lockout_threshold"] = str(flags["user_lockout_threshold"])
    if lockout:
        body["user_lockout_config"] = lockout
    with reporting(f"Error tuning auth method {path}"):
        answer = session.client.write(f"sys/mounts/auth/{path.rstrip('/')}/tune", body, method="POST")
    session.success(f"Tuned the auth method at: {path}")
    session.warn_of(answer)


@command("move", "SOURCE DESTINATION")
def move_method(session: Session, arguments: tuple[str, ...]) -> None:
    """Moves an auth method: strongroom auth move auth/old auth/new. The tokens that it gave out are revoked."""
    expect(arguments, 2)
    move(session, with_slash(arguments[0]), with_slash(arguments[1]), "auth method")


@command("help", "TYPE | PATH")
def auth_help(session: Session, arguments: tuple[str, ...]) -> None:
    """Shows how to log in with an auth method, by its type or by the path where it is enabled."""
    expect(arguments, 1)
    name = arguments[0].strip().strip("/")
    kind = name
    if name not in METHODS:
        mounts = mount_table(session, "sys/auth", "Error listing auth methods")
        kind = str(mounts.get(f"{name}/", {}).get("type", ""))
    if kind not in METHODS:
        raise CommandFailed(f"Error retrieving help: unknown auth method: {name}", REMOTE if kind else 1)
    session.say(METHODS[kind].help)
