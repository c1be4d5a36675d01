"""``k=v`` arguments in Vault's grammar: ``k=v``, ``k=@file``, ``k=-``, ``@file.json``, ``-`` for JSON, bare ``k`` to be asked.

A value given twice becomes a list. No error names a value.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.prompts import hidden, standard_input
from strongroom.cli.session import Session
from strongroom.client import exact_json

_FILE_BYTES_MAX = 32 * 1024 * 1024
_SECRET_WORDS = ("pass", "secret", "token", "key", "credential", "private", "pwd")


class _StandardInput:
    """Standard input can be read for one argument only."""

    def __init__(self) -> None:
        self._taken = False

    def read(self) -> str:
        if self._taken:
            raise CommandFailed('Failed to parse K=V data: "-" can be given only once')
        self._taken = True
        return standard_input()


def parse_data(session: Session, words: Sequence[str], *, ask: bool = True) -> dict[str, Any]:
    """``words`` as an object. Raises CommandFailed that names the key at fault."""
    data: dict[str, Any] = {}
    source = _StandardInput()
    for word in words:
        if word == "-":
            _merge(data, _object(source.read(), "standard input"))
        elif word.startswith("@"):
            _merge(data, _object(_file(word[1:], word[1:]), f"file {word[1:]!r}"))
        else:
            name, value = _pair(session, word, source, ask=ask)
            _merge(data, {name: value})
    return data


def parse_text_pairs(words: Sequence[str], flag: str) -> dict[str, str]:
    """``words`` of a repeated flag like ``-metadata=k=v``. Raises CommandFailed."""
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise CommandFailed(f"{flag} takes key=value")
        pairs[name] = value
    return pairs


def _pair(session: Session, word: str, source: _StandardInput, *, ask: bool) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        if ask and session.interactive and sys.stdin.isatty():
            return name, hidden(session, f"Value of {name}", "")
        raise CommandFailed(f'Failed to parse K=V data: invalid key/value pair "{name}": format must be key=value')
    if not name:
        raise CommandFailed("Failed to parse K=V data: a key is empty: format must be key=value")
    if value == "-":
        return name, source.read()
    if value.startswith("@"):
        return name, _file(value[1:], name)
    if value.startswith("\\@"):
        return name, value[1:]
    _warn_of_argv(session, name, value)
    return name, value


def _warn_of_argv(session: Session, name: str, value: str) -> None:
    looks_secret = any(part in name.lower() for part in _SECRET_WORDS)
    if value and looks_secret and session.interactive and sys.stderr.isatty():
        session.note(
            f"Warning: the value of {name} stands on the command line, where every process of this machine and the "
            f"shell's history can see it. Better: {name}=- (standard input), {name}=@file, or just {name} to be asked."
        )


def _file(path: str, name: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- pathlib would add to the start of every command
            content = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise CommandFailed(f'Failed to parse K=V data: "{name}": error reading file: {reason}') from None
    if len(content) > _FILE_BYTES_MAX:
        raise CommandFailed(f'Failed to parse K=V data: "{name}": the file is larger than {_FILE_BYTES_MAX} bytes')
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CommandFailed(
            f'Failed to parse K=V data: "{name}": the file is not UTF-8 text; encode it first (base64, say)'
        ) from None


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = exact_json.decode(text)
    except ValueError:
        raise CommandFailed(f"Failed to parse K=V data: {where} does not hold valid JSON") from None
    if not isinstance(value, dict):
        raise CommandFailed(f"Failed to parse K=V data: {where} must hold a JSON object")
    return value


def _merge(data: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if name not in data:
            data[name] = value
        elif isinstance(data[name], list):
            data[name].append(value)
        else:
            data[name] = [data[name], value]
