"""What runs after a file has changed: a program of the configuration's, without a shell, without values, and not for ever."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping

from strongroom.agent.config_values import After
from strongroom.delivery.environment import Inheritance, environment
from strongroom.delivery.orphans import Orphans


class CommandFailed(Exception):
    """The program could not be started, took too long, or says that it failed. The text names it by its first word."""


def run_after(after: After, environ: Mapping[str, str], orphans: Orphans) -> None:
    """Run it and wait for it. Raises CommandFailed.

    It gets the agent's environment without tokens, nothing on its standard input, and no values in its arguments. It has a
    process group of its own, so that whatever it starts ends with it when its time is over.
    """
    name = after.command[0]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            after.command,
            stdin=subprocess.DEVNULL,
            env=environment((), environ, Inheritance()),
            process_group=0,
        )

    try:
        with orphans.except_for(start) as process:
            code = _end_of(process, after.timeout)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "cannot be started"
        raise CommandFailed(f"{name}: {why.lower()}") from None
    if code is None:
        raise CommandFailed(f"{name}: did not end within {after.timeout} seconds, and was killed")
    if code != 0:
        raise CommandFailed(f"{name}: ended with exit code {code}")


def _end_of(process: subprocess.Popen[bytes], timeout_seconds: int) -> int | None:
    """The exit code; None where it had to be killed."""
    try:
        return process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
