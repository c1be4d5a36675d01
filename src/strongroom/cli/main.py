"""The table of all commands, and the one place where an error becomes a text and an exit code.

Exit codes: 0 fine; 1 wrong usage or a local error; 2 the server's error, or nothing found; 3 something was found, where ``-exit-code``
asks for that; 127 no such command. ``run`` has its own (see there), and ``status`` says 2 for sealed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.cli.lazy import COMPLETION_VARIABLE, LazyGroup
from strongroom.cli.session import CurlPrinted
from strongroom.client.errors import BadSettings, ClientError

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
    "run": ("run:run", "Run a program with secrets in its environment"),
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
_INTERRUPTED = 130


def root() -> LazyGroup:
    """The command ``strongroom``."""
    return LazyGroup("strongroom", SUMMARY, _COMMANDS, missing_exit_code=127)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A value is shown as it is, whatever the locale; what no encoding can hold is replaced.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    if COMPLETION_VARIABLE in os.environ:
        return _complete(os.environ[COMPLETION_VARIABLE])
    return _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    try:
        result = root().main(arguments, prog_name="strongroom", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _abandon_output()
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except CurlPrinted:
        return 0
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code if error.exit_code != click.UsageError.exit_code else 1)
    except CommandFailed as failure:
        return _fail(failure.text, failure.exit_code)
    except BadSettings as error:
        return _fail(str(error), 1)
    except ClientError as error:
        return _fail(str(error), REMOTE)
    return result if isinstance(result, int) else 0


def _complete(instruction: str) -> int:
    from strongroom.cli.completion import answer

    print(answer(root(), instruction))  # noqa: T201 -- the shell's script reads it
    return 0


def _fail(text: str, exit_code: int) -> int:
    sys.stdout.flush()
    print(text, file=sys.stderr)  # noqa: T201 -- this is where the command line speaks
    return exit_code


def _abandon_output() -> int:
    # The reader went away (head, less): nothing more can be written, not even at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1
