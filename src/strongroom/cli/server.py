"""``server`` and ``dev``: start a server here. The server's rooms are loaded only now, and only by name."""

from __future__ import annotations

import importlib
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.extras import how_to_install
from strongroom.cli.grammar import RunnerCommand, command, expect
from strongroom.cli.options import switch, text, texts
from strongroom.cli.session import Session

_SERVE = "strongroom.server.serve"
_DEV = "strongroom.server.dev"
_LISTEN = "127.0.0.1:8200"


@command(
    "server",
    "",
    texts("-config", help="Configuration file or folder. May be repeated."),
    text("-log-level", help="trace, debug, info, warn or error."),
    switch("-dev", help="A server to try things with: unsealed, and empty when it stops."),
    text("-dev-root-token-id", help="With -dev: its first token. Better in STRONGROOM_DEV_ROOT_TOKEN_ID."),
    text("-dev-listen-address", help=f"With -dev: address and port ({_LISTEN})."),
    switch("-dev-no-store-token", help="With -dev: do not keep the first token in ~/.vault-token."),
    switch("-dev-tls", help="With -dev: speak TLS, with a certificate made now."),
    remote=False,
)
def server(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Starts a server.

    strongroom server -config=/etc/strongroom/strongroom.hcl
    strongroom server -dev
    """
    expect(arguments, 0)
    if flags["dev"] or flags["dev_tls"]:
        return _start_dev(session, flags, data_folder=None)
    if not flags["config"]:
        raise CommandFailed("Must specify at least one config path using -config")
    serve = _load(_SERVE)
    return int(serve.run(list(flags["config"]), log_level=flags["log_level"] or None))


@command(
    "dev",
    "[-- COMMAND [ARGUMENTS...]]",
    text("-dev-root-token-id", help="Its first token. Better in STRONGROOM_DEV_ROOT_TOKEN_ID."),
    text("-dev-listen-address", help=f"Address and port ({_LISTEN})."),
    switch("-dev-no-store-token", help="Do not keep the first token in ~/.vault-token."),
    switch("-dev-tls", help="Speak TLS, with a certificate made now."),
    text("-data", help="Folder in which to keep the data; in memory only without this."),
    text("-from", help="With a COMMAND: the .env file whose values it gets, by way of the server."),
    remote=False,
    kind=RunnerCommand,
)
def dev(session: Session, arguments: tuple[str, ...], data: str, **flags: Any) -> int:
    """Starts a server to try things with, already initialized and unsealed. Never for real secrets.

    With a COMMAND the server has an address of its own, holds the values of a .env file, and ends with the program.

        strongroom dev
        strongroom dev -from .env -- ./server
    """
    file = flags.pop("from")
    if not arguments:
        if file:
            raise CommandFailed("-from needs a program: strongroom dev -from .env -- COMMAND")
        return _start_dev(session, flags, data_folder=data or None)
    if not file or data or any(flags.values()):
        raise CommandFailed(
            "with a COMMAND dev takes -from FILE, and nothing else: strongroom dev -from .env -- COMMAND"
        )
    from strongroom.cli.dev_run import dev_run

    return dev_run(session, arguments, file)


def _start_dev(session: Session, flags: dict[str, Any], *, data_folder: str | None) -> int:
    from strongroom.client.settings import variable

    environ = session.environ
    root_token = flags["dev_root_token_id"] or variable(environ, "DEV_ROOT_TOKEN_ID")
    address = flags["dev_listen_address"] or variable(environ, "DEV_LISTEN_ADDRESS") or _LISTEN
    return int(
        _load(_DEV).run(
            root_token_id=root_token or None,
            listen_address=address,
            store_token=not flags["dev_no_store_token"],
            tls=flags["dev_tls"],
            data_folder=data_folder,
        )
    )


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise CommandFailed(
            f"The server is not installed here (no module {error.name}): {how_to_install('server')}"
        ) from None
