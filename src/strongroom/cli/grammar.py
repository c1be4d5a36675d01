"""Vault's grammar of flags on top of click.

``-long`` and ``--long`` alike, ``-flag=value`` or ``-flag value``, flags anywhere among the arguments, yes-or-no flags as
``-flag`` or ``-flag=false``. A command is declared once with :func:`command`; the flags for reaching the server and for output come by themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NoReturn

import click

from strongroom.cli.http_options import http_options, output_options
from strongroom.cli.options import Switch
from strongroom.cli.session import Session

HELP_NAMES = ("-help", "-h")


class Output(Enum):
    """Which output flags a command has, by name. Texts, since Python 3.11.2 gives a member made of () another value."""

    NONE = ""
    FORMAT = "-format"
    FIELD = "-format -field"


def normalise(
    arguments: Sequence[str], valued: dict[str, str], switches: dict[str, str], *, anywhere: bool
) -> list[str]:
    """``arguments`` as ``-flag=value`` words, then ``--``, then the positional ones: what click reads without a doubt.

    ``valued`` and ``switches`` map every spelling of a flag (with one dash) to its first one. Without ``anywhere`` the first
    positional argument ends the flags. Raises click.UsageError in the words of Go's flag parser.
    """
    flags: list[str] = []
    positional: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            positional.extend(rest)
            break
        if len(word) < 2 or not word.startswith("-"):
            positional.append(word)
            if not anywhere:
                positional.extend(rest)
                break
            continue
        name, equals, value = word.partition("=")
        name = name[1:] if name.startswith("--") else name
        if name in switches:
            flags.append(f"{switches[name]}={value if equals else 'true'}")
        elif name in valued:
            if not equals and not rest:
                raise click.UsageError(f"flag needs an argument: {name}")
            flags.append(f"{valued[name]}={value if equals else rest.pop(0)}")
        else:
            _unknown_flag(name, [*valued, *switches])
    return [*flags, "--", *positional]


def _unknown_flag(name: str, known: list[str]) -> NoReturn:
    if name in {"-token", "-root-token"}:
        raise click.UsageError(
            "a token is never given as a flag, where every process can read it. "
            "Set STRONGROOM_TOKEN, or log in: strongroom login"
        )
    raise click.UsageError(f"flag provided but not defined: {name}{suggestion(name, known)}")


def suggestion(word: str, known: Sequence[str]) -> str:
    """`` Did you mean …?`` where something known is near, else nothing."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f". Did you mean {near[0]}?" if near else ""


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
        # Words before "--" only: what comes after it belongs to another program.
        own = args[: args.index("--")] if "--" in args else args
        if any(word in {"-h", "-help", "--help", "--h"} for word in own) and not _is_value(own, valued):
            args = ["-help"]
        else:
            args = normalise(args, valued, switches, anywhere=self.flags_anywhere)
        return super().parse_args(ctx, args)


class RunnerCommand(VaultCommand):
    """A command whose first positional argument ends its own flags, because a foreign command line follows."""

    flags_anywhere = False


def _is_value(words: Sequence[str], valued: dict[str, str]) -> bool:
    """Whether the ``-h`` among ``words`` is the value of the flag before it."""
    at = next(index for index, word in enumerate(words) if word in {"-h", "-help", "--help", "--h"})
    before = words[at - 1] if at else ""
    return before.replace("--", "-", 1) in valued


def command(
    name: str,
    usage: str,
    *options: click.Option,
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
        taken = {option.name for option in shared}

        def callback(arguments: tuple[str, ...], **values: Any) -> int | None:
            session = Session({key: values.pop(key) for key in list(values) if key in taken})
            try:
                return function(session, arguments, **values)
            finally:
                session.close()

        names_path = usage.partition(" ")[0] in {"PATH", "KEY", "MOUNT"}
        positional = click.Argument(
            ["arguments"],
            nargs=-1,
            metavar=usage,
            type=click.UNPROCESSED,
            shell_complete=_complete_path if names_path else None,
        )
        return kind(
            name,
            params=[*options, *shared, positional],
            callback=callback,
            help=_with_examples(function.__doc__ or ""),
            context_settings={"help_option_names": list(HELP_NAMES), "max_content_width": 100},
        )

    return declare


def _complete_path(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from strongroom.cli.path_completion import paths

    return paths(context, parameter, incomplete)


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
