"""The kinds of flags: yes or no, text, whole number, duration; and how each is declared in one line."""

from __future__ import annotations

from typing import Any

import click

_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"0", "f", "false"})


class Switch(click.ParamType[Any]):
    """Yes or no; as a flag it may stand without a value."""

    name = "true|false"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        """True or False from Go's spellings."""
        if isinstance(value, bool):
            return value
        if str(value).lower() in _TRUE:
            return True
        if str(value).lower() in _FALSE:
            return False
        raise click.UsageError(f"{_name(param)} takes true or false")


class Whole(click.ParamType[int]):
    """A whole number."""

    name = "int"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error that names the flag."""
        text = str(value)
        if not (text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) <= 18):
            raise click.UsageError(f"{_name(param)} takes a whole number")
        return int(text)


class Duration(click.ParamType[str]):
    """A duration such as ``30s`` or ``1h30m``; kept as text, for the server to read, once it is known to be one."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, checked."""
        if value == "":
            return ""
        from strongroom.logical.instant import parse_duration

        try:
            parse_duration(str(value))
        except ValueError:
            raise click.UsageError(f"{_name(param)} takes a duration like 30s, 15m or 1h30m") from None
        return str(value)


def switch(*names: str, help: str, default: bool | None = False) -> click.Option:  # noqa: A002 -- the word for it
    """A yes-or-no flag. ``default=None`` keeps "not given" apart from "no"."""
    return click.Option(list(names), type=Switch(), default=default, metavar="", help=help)


def text(*names: str, help: str, default: str | None = "") -> click.Option:  # noqa: A002 -- the word for it
    """A flag with a text."""
    return click.Option(list(names), default=default, help=help, metavar="<string>")


def texts(*names: str, help: str) -> click.Option:  # noqa: A002 -- the word for it
    """A flag that may be given several times."""
    return click.Option(list(names), multiple=True, help=help, metavar="<string>")


def whole(*names: str, help: str, default: int | None = None) -> click.Option:  # noqa: A002 -- the word for it
    """A flag with a whole number."""
    return click.Option(list(names), type=Whole(), default=default, help=help, metavar="<int>")


def duration(*names: str, help: str) -> click.Option:  # noqa: A002 -- the word for it
    """A flag with a duration; ``""`` where it was not given."""
    return click.Option(list(names), type=Duration(), default="", help=help, metavar="<duration>")


def _name(param: click.Parameter | None) -> str:
    return param.opts[0] if param is not None else "the flag"
