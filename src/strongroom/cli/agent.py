"""``agent``: log in for programs that cannot, and give them what they need. The agent's room is loaded only now."""

from __future__ import annotations

from dataclasses import replace

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import switch, text
from strongroom.cli.session import Session
from strongroom.client.settings import variable


@command(
    "agent",
    "",
    text("-config", help="The configuration, in the language of Vault's agent."),
    switch("-exit-after-auth", help="End once every sink is written and every template rendered, with exit code 0."),
    text("-log-level", help="trace, debug, info, warn or error. (info) [..._LOG_LEVEL]"),
    switch("-check", help="Read the configuration, say what is wrong with it, and start nothing."),
    remote=False,
)
def agent(session: Session, arguments: tuple[str, ...], config: str, log_level: str, **flags: bool) -> int:
    """Logs in for programs that cannot, and keeps what they need up to date: tokens and secrets as files, as their environment,
    or as systemd's credentials.

    It goes on until SIGTERM or SIGINT, or until the program that it runs has ended; then its exit code is the program's. While the
    server does not answer everything stays as it was last.

        strongroom agent -config=/etc/strongroom/agent.hcl
    """
    expect(arguments, 0)
    if not config:
        raise CommandFailed("Must specify a configuration: strongroom agent -config=FILE")
    from strongroom.agent.config import load_config
    from strongroom.agent.config_reader import BadConfig
    from strongroom.agent.context import AgentFailed
    from strongroom.agent.journal import LEVELS
    from strongroom.agent.main import run

    log_level = log_level or variable(session.environ, "LOG_LEVEL")
    if log_level and log_level not in LEVELS:
        raise CommandFailed(f"-log-level takes {', '.join(LEVELS)}")
    try:
        read = load_config(config)
        level = log_level or read.log_level or "info"
        if flags["check"]:
            for warning in read.warnings:
                session.note(f"{config}: {warning}")
            return 0
        read = replace(read, exit_after_auth=read.exit_after_auth or flags["exit_after_auth"])
        return run(read, session.environ, level)
    except (BadConfig, AgentFailed) as error:
        raise CommandFailed(str(error)) from None
