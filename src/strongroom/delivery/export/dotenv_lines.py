r"""``.env`` files: ``NAME=value`` lines as python-dotenv reads them.

A value is written in the first of these forms that holds it:

1. bare, where it is one or more of ``A-Z a-z 0-9 _ . / : @ % + , -``;
2. in single quotes as it is, where it has no ``'``, no ``\`` before a ``\`` and none at its end;
3. in double quotes with ``\\`` and ``\"``, where it has neither ``$`` nor a backtick;
4. in single quotes with ``\\`` and ``\'``, or (where it has a carriage return, which readers of files take for a line break) in
   double quotes with ``\\``, ``\"`` and ``\r``.

The first three mean the same to a shell. ``dotenv-export`` uses those alone, with ``export`` in front: what needs the fourth is
refused. Python-dotenv replaces ``${`` in whatever quotes, so a value that holds it is refused.
"""

from __future__ import annotations

import re

from strongroom.delivery.export.document import Export, refused

BARE = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
"""Letters that no reader of lines and no shell takes for anything but themselves. Not ``=``: zsh finds programs for ``=ls``."""

_CHANGED_IN_SINGLE_QUOTES = re.compile(r"'|\\(?=\\)")


def dotenv(export: Export) -> bytes:
    """Lines for python-dotenv. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        _refuse_replaced(name, value)
        lines.append(f"{name}={_portable(value) or _for_python_dotenv(value)}\n")
    return "".join(lines).encode()


def dotenv_export(export: Export) -> bytes:
    """Lines for python-dotenv and for shells alike. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        _refuse_replaced(name, value)
        text = _portable(value)
        if text is None:
            raise refused(
                name,
                "needs quotes that a shell and a reader of .env files take for different things "
                "(a carriage return, or a quote beside $ or a backtick): use -format=shell or -format=dotenv",
            )
        lines.append(f"export {name}={text}\n")
    return "".join(lines).encode()


def _refuse_replaced(name: str, value: str) -> None:
    if "${" in value:
        raise refused(
            name, "holds ${, which a reader of .env files replaces even in quotes: use another format, as json"
        )


def _portable(value: str) -> str | None:
    """``value`` as shells and python-dotenv read it alike; None where there is no such way."""
    if BARE.fullmatch(value):
        return value
    if "\r" in value:
        return None
    if not (_CHANGED_IN_SINGLE_QUOTES.search(value) or value.endswith("\\")):
        return f"'{value}'"
    if "$" in value or "`" in value:
        return None
    return f'"{_backslashed(value, chr(34))}"'


def _for_python_dotenv(value: str) -> str:
    if "\r" in value:
        return '"' + _backslashed(value, '"').replace("\r", "\\r") + '"'
    return "'" + _backslashed(value, "'") + "'"


def _backslashed(value: str, quote: str) -> str:
    return value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
