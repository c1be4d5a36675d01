"""``run`` as click sees it: its help, its completion, and the words for what is wrong."""

from __future__ import annotations

from typing import Any

import click

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, RunnerCommand, command
from strongroom.cli.run import run as _run
from strongroom.cli.run_flags import RUN_FLAGS
from strongroom.delivery.execute import CANNOT_RUN


class _RunCommand(RunnerCommand):
    """Wrong usage ends with the exit code that says: not the program's."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """As click does it, with our exit code."""
        try:
            return super().make_context(*arguments, **extra)
        except click.UsageError as error:
            raise CommandFailed(error.format_message(), CANNOT_RUN) from None


run = command("run", "-- COMMAND [ARGUMENTS...]", *RUN_FLAGS, output=Output.FORMAT, kind=_RunCommand)(_run)
