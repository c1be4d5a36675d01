"""Flags as data: what they are called, which values they take, and what they mean without one.

A table of flags is read by click for help, completion and errors, and without click by commands that have to start at once
(``quick``). So this module knows nothing of click.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"0", "f", "false"})


class BadFlag(Exception):
    """A value that the flag does not take. The text names the flag and says what it takes."""


class Kind(NamedTuple):
    """A kind of values. ``read`` makes a value of the text and the name of the flag, or raises BadFlag.

    A switch may stand without a value, which then is ``true``.
    """

    name: str
    read: Callable[[str, str], Any]
    is_switch: bool = False


class Flag(NamedTuple):
    """One flag. ``names`` are all its spellings, with one dash; one that may be repeated has a tuple of values."""

    names: tuple[str, ...]
    kind: Kind
    help: str
    default: Any = None
    is_repeated: bool = False
    metavar: str = ""

    @property
    def key(self) -> str:
        """The name of the parameter by which a command gets the value."""
        return self.names[0][1:].replace("-", "_")


class Quick(NamedTuple):
    """A command that can be called without click: its own flags, its output flags, and where its function is.

    ``anywhere`` says whether flags may stand behind the first other word, ``arity`` how many of those there are (None: any).
    One that ``is_remote`` has the flags for reaching a server, too.
    """

    flags: tuple[Flag, ...]
    output: tuple[str, ...]
    function: str
    anywhere: bool = True
    arity: int | None = None
    is_remote: bool = True


def yes_or_no(value: str, name: str) -> bool:
    """True or False from Go's spellings."""
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise BadFlag(f"{name} takes true or false")


def whole_number(value: str, name: str) -> int:
    """A number of at most 18 digits."""
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadFlag(f"{name} takes a whole number")
    return int(value)


def duration_text(value: str, name: str) -> str:
    """A duration such as ``30s`` or ``1h30m``; kept as text, for the server to read, once it is known to be one."""
    if not value:
        return ""
    from strongroom.logical.instant import parse_duration

    try:
        parse_duration(value)
    except ValueError:
        raise BadFlag(f"{name} takes a duration like 30s, 15m or 1h30m") from None
    return value


def _as_it_is(value: str, name: str) -> str:
    del name
    return value


TEXT = Kind("text", _as_it_is)
SWITCH = Kind("true|false", yes_or_no, is_switch=True)
WHOLE = Kind("int", whole_number)
DURATION = Kind("duration", duration_text)


def switch(*names: str, help: str, default: bool | None = False) -> Flag:  # noqa: A002 -- the word for it
    """A yes-or-no flag. ``default=None`` keeps "not given" apart from "no"."""
    return Flag(names, SWITCH, help, default)


def text(*names: str, help: str, default: str = "") -> Flag:  # noqa: A002 -- the word for it
    """A flag with a text."""
    return Flag(names, TEXT, help, default, metavar="<string>")


def texts(*names: str, help: str) -> Flag:  # noqa: A002 -- the word for it
    """A flag that may be given several times."""
    return Flag(names, TEXT, help, (), is_repeated=True, metavar="<string>")


def whole(*names: str, help: str, default: int | None = None) -> Flag:  # noqa: A002 -- the word for it
    """A flag with a whole number."""
    return Flag(names, WHOLE, help, default, metavar="<int>")


def duration(*names: str, help: str) -> Flag:  # noqa: A002 -- the word for it
    """A flag with a duration; ``""`` where it was not given."""
    return Flag(names, DURATION, help, "", metavar="<duration>")
