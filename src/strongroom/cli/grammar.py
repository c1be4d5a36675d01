"""Vault's grammar of flags on top of click.

``-long`` and ``--long`` alike, ``-flag=value`` or ``-flag value``, flags anywhere among the arguments, yes-or-no flags as
``-flag`` or ``-flag=false``. A command is declared once with :func:`command`; the flags for reaching the server and for output come by themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import click

from strongroom.cli.ending import call
from strongroom.cli.flags import Flag
from strongroom.cli.http_options import http_options, output_options
from strongroom.cli.options import Switch, option
from strongroom.cli.words import BadUsage, asks_for_help, normalise

HELP_NAMES = ("-help", "-h")
ENVIRONMENT = "ENVIRONMENT"
"""The word in a usage for which the names of environments are offered."""


class Output(Enum):
    """Which output flags a command has, by name. Texts, since Python 3.11.2 gives a member made of () another value."""

    NONE = ""
    FORMAT = "-format"
    FIELD = "-format -field"


class VaultCommand(click.Command):
    """A click command that reads its flags in Vault's grammar."""

    flags_anywhere = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Bring ``args`` into the form that click reads, then let it."""
        if ctx.resilient_parsing:
            # Completion: half a command line is no error.
            return super().parse_args(ctx, args)
        valued: dict[str, str] = {}
        switches: dict[str, str] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and not param.is_eager:
                target = switches if isinstance(param.type, Switch) else valued
                target.update(dict.fromkeys(param.opts, param.opts[0]))
        if asks_for_help(args, valued, anywhere=self.flags_anywhere):
            args = ["-help"]
        else:
            try:
                args = normalise(args, valued, switches, anywhere=self.flags_anywhere)
            except BadUsage as error:
                raise click.UsageError(str(error)) from None
        return super().parse_args(ctx, args)


class RunnerCommand(VaultCommand):
    """A command whose first positional argument ends its own flags, because a foreign command line follows."""

    flags_anywhere = False


def command(
    name: str,
    usage: str,
    *options: click.Option | Flag,
    output: Output = Output.NONE,
    remote: bool = True,
    kind: type[VaultCommand] = VaultCommand,
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Declares a command. The function gets a ``Session``, the positional arguments, and its options by keyword.

    ``usage`` names the positional arguments for the help; their number is checked by the function. The function's docstring
    is the help.
    """

    def declare(function: Callable[..., int | None]) -> click.Command:
        shared = [*(http_options() if remote else ()), *output_options(tuple(output.value.split()))]
        taken = {flag.key for flag in shared}

        def callback(arguments: tuple[str, ...], **values: Any) -> int | None:
            return call(function, arguments, values, taken)

        first = usage.partition(" ")[0]
        names_path, names_environment = first in {"PATH", "KEY", "MOUNT"}, first == ENVIRONMENT
        positional = click.Argument(
            ["arguments"],
            nargs=-1,
            metavar=usage,
            type=click.UNPROCESSED,
            shell_complete=_complete_path if names_path else _complete_environment if names_environment else None,
        )
        return kind(
            name,
            params=[*map(option, options), *map(option, shared), positional],
            callback=callback,
            help=_with_examples(function.__doc__ or ""),
            context_settings={"help_option_names": list(HELP_NAMES), "max_content_width": 100},
        )

    return declare


def _complete_path(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from strongroom.cli.path_completion import paths

    return paths(context, parameter, incomplete)


def _complete_environment(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from strongroom.cli.path_completion import environments

    most = (parameter.metavar or "").split().count(ENVIRONMENT) if isinstance(parameter, click.Argument) else 1
    return environments(context, incomplete, most)


def expect(arguments: Sequence[str], least: int, most: int | None = None) -> None:
    """Checks the number of positional arguments. Raises click.UsageError in Vault's words."""
    most = least if most is None else most
    if len(arguments) < least:
        raise click.UsageError(f"Not enough arguments (expected {least}, got {len(arguments)})")
    if len(arguments) > most:
        raise click.UsageError(f"Too many arguments (expected {most}, got {len(arguments)})")


def _with_examples(docstring: str) -> str:
    """``docstring`` with click's mark before indented paragraphs, which then keep their lines."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join("\b\n" + part if part.startswith("    ") else part for part in paragraphs)
