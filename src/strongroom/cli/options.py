"""Flags as options of click: the kinds of a table as types, and how each is declared in one line."""

from __future__ import annotations

from typing import Any

import click

from strongroom.cli import flags
from strongroom.cli.flags import BadFlag, Flag, Kind


class FlagType(click.ParamType[Any]):
    """A kind of values as click asks for it."""

    kind: Kind

    def __init__(self, kind: Kind | None = None) -> None:
        if kind is not None:
            self.kind, self.name = kind, kind.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of a text; a default is one already. Raises click.UsageError that names the flag."""
        if not isinstance(value, str):
            return value
        try:
            return self.kind.read(value, param.opts[0] if param is not None else "the flag")
        except BadFlag as error:
            raise click.UsageError(str(error)) from None


class Switch(FlagType):
    """Yes or no; as a flag it may stand without a value."""

    kind = flags.SWITCH
    name = kind.name


class Whole(FlagType):
    """A whole number."""

    kind = flags.WHOLE
    name = kind.name


class Duration(FlagType):
    """A duration such as ``30s`` or ``1h30m``; kept as text, for the server to read, once it is known to be one."""

    kind = flags.DURATION
    name = kind.name


def option(flag: Flag | click.Option) -> click.Option:
    """A flag of a table as an option of click."""
    if isinstance(flag, click.Option):
        return flag
    kind = None if flag.kind is flags.TEXT else Switch(flag.kind) if flag.kind.is_switch else FlagType(flag.kind)
    default = None if flag.is_repeated else flag.default
    return click.Option(
        list(flag.names), type=kind, default=default, multiple=flag.is_repeated, help=flag.help, metavar=flag.metavar
    )


def switch(*names: str, help: str, default: bool | None = False) -> click.Option:  # noqa: A002 -- the word for it
    """A yes-or-no flag. ``default=None`` keeps "not given" apart from "no"."""
    return option(flags.switch(*names, help=help, default=default))


def text(*names: str, help: str, default: str | None = "") -> click.Option:  # noqa: A002 -- the word for it
    """A flag with a text."""
    return click.Option(list(names), default=default, help=help, metavar="<string>")


def texts(*names: str, help: str) -> click.Option:  # noqa: A002 -- the word for it
    """A flag that may be given several times."""
    return option(flags.texts(*names, help=help))


def whole(*names: str, help: str, default: int | None = None) -> click.Option:  # noqa: A002 -- the word for it
    """A flag with a whole number."""
    return option(flags.whole(*names, help=help, default=default))


def duration(*names: str, help: str) -> click.Option:  # noqa: A002 -- the word for it
    """A flag with a duration; ``""`` where it was not given."""
    return option(flags.duration(*names, help=help))
