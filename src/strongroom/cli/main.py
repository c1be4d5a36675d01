"""The table of all commands, and how click reads it.

Exit codes: 0 fine; 1 wrong usage or a local error; 2 the server's error, or nothing found; 3 something was found, where ``-exit-code``
asks for that; 127 no such command; 141 whoever read the output has gone before its end. ``run`` has its own (see there), and ``status`` says 2 for sealed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from strongroom.cli.ending import ended, prepare_streams
from strongroom.cli.errors import LOCAL, CommandFailed
from strongroom.cli.lazy import LazyGroup
from strongroom.cli.words import COMPLETION_VARIABLE

SUMMARY = "Strongroom: store secrets, deliver them, and know who had them."

_COMMANDS = {
    "agent": ("agent:agent", "Log in for programs and keep what they need up to date"),
    "audit": ("groups:audit", "Manage audit devices, and verify their logs"),
    "auth": ("groups:auth", "Manage auth methods"),
    "completion": ("completion:completion", "Print the script that completes words in a shell"),
    "consumer": ("groups:consumer", "See which programs run which versions of secrets"),
    "delete": ("raw:delete", "Delete what is at a path"),
    "dev": ("server:dev", "Start a server to try things with"),
    "doctor": ("doctor:doctor", "Check whether a server is set up securely"),
    "env": ("groups:env", "Compare environments, and promote from one to the next"),
    "explain": ("explain:explain", "Show where a variable's value comes from"),
    "export": ("export:export", "Write secrets in a form that another program reads"),
    "hook": ("groups:hook", "Have git refuse secrets before commits and pushes"),
    "init": ("project_init:init", "Move a .env file into the vault, and write the project file"),
    "inject": ("inject:inject", "Fill references in a file with their values"),
    "kv": ("groups:kv", "Work with key-value secrets"),
    "lease": ("groups:lease", "Work with leases"),
    "list": ("raw:list_keys", "List what is below a path"),
    "login": ("login:login", "Log in and keep the token"),
    "man": ("man:man", "Print the manual pages"),
    "operator": ("groups:operator", "Initialize, unseal, rekey and rotate"),
    "patch": ("raw:patch", "Change parts of what is at a path"),
    "path-help": ("raw:path_help", "Show what a path is for"),
    "policy": ("groups:policy", "Manage policies"),
    "print": ("groups:print_group", "Print what this program uses"),
    "read": ("raw:read", "Read what is at a path"),
    "run": ("run_command:run", "Run a program with secrets in its environment"),
    "scan": ("groups:scan", "Find leaked secrets in files, histories, archives and images"),
    "secrets": ("groups:secrets", "Manage secrets engines"),
    "server": ("server:server", "Start a server"),
    "status": ("status:status", "Show seal and leader status"),
    "token": ("groups:token", "Work with tokens"),
    "unwrap": ("raw:unwrap", "Open a wrapped answer"),
    "version": ("version:version", "Print the version"),
    "watch": ("watch:watch", "Watch public places for leaked secrets"),
    "write": ("raw:write", "Write data to a path"),
}


def root() -> LazyGroup:
    """The command ``strongroom``."""
    return LazyGroup("strongroom", SUMMARY, _COMMANDS, missing_exit_code=127)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    prepare_streams()
    if COMPLETION_VARIABLE in os.environ:
        return ended(lambda: _complete(os.environ[COMPLETION_VARIABLE]))
    words = list(sys.argv[1:] if arguments is None else arguments)
    return ended(lambda: _run(words))


def _run(arguments: list[str]) -> object:
    """What the command gives back; what click has to say is said as the rest of the command line says it."""
    try:
        # Not by click's main: it would end us itself where a reader has gone, with the exit code of an error.
        with root().make_context("strongroom", arguments) as context:
            return root().invoke(context)
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except (click.Abort, EOFError):
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        is_usage = error.exit_code == click.UsageError.exit_code
        raise CommandFailed(error.format_message(), LOCAL if is_usage else error.exit_code) from None


def _complete(instruction: str) -> None:
    from strongroom.cli.completion import answer

    print(answer(root(), instruction))  # noqa: T201 -- the shell's script reads it
