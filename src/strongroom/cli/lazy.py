"""A group of commands of which only the one that is used gets imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import NoReturn

import click

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import HELP_NAMES
from strongroom.cli.words import suggestion

Entry = tuple[str, str]
"""Where a command is (``module:name`` below ``strongroom.cli``) and what it does, in a line."""


class LazyGroup(click.Group):
    """A click group made from a table of names."""

    def __init__(self, name: str, summary: str, entries: Mapping[str, Entry], missing_exit_code: int = 1) -> None:
        super().__init__(
            name,
            help=summary,
            invoke_without_command=False,
            no_args_is_help=False,
            context_settings={"help_option_names": list(HELP_NAMES), "max_content_width": 100},
        )
        self.entries = entries
        self.missing_exit_code = missing_exit_code

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None where there is none."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry[0].partition(":")
        found: click.Command = getattr(importlib.import_module(f"strongroom.cli.{module}"), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` start with. Raises UsageError that names the nearest one."""
        name = args[0]
        found = self.get_command(ctx, name)
        if found is None and not ctx.resilient_parsing:
            self._fail(f"Unknown command: {ctx.command_path} {name}{suggestion(name, self.list_commands(ctx))}")
        return (name if found else None), found, args[1:]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Print the help where no command is named."""
        if not args and not ctx.resilient_parsing:
            self._fail(self.get_help(ctx))
        if args[:1] == ["--help"]:
            args = ["-help", *args[1:]]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.entries[name][1]) for name in self.list_commands(ctx)])

    def _fail(self, text: str) -> NoReturn:
        raise CommandFailed(text, self.missing_exit_code)
