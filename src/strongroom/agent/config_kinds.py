"""The kinds of value a setting of the agent can have: how each is written, and how it is read.

A decoder raises ValueError for what is not of its kind. The text that a person gets then is ``Kind.expected``, and never what
was written.
"""

from __future__ import annotations

import os
import re
import signal
from typing import Any

from strongroom.agent.config_reader import Kind
from strongroom.logical.field import decode_bool, decode_duration, decode_int, decode_int_list, decode_str_list

WIDEST_MODE = 0o640
"""The most that a file of the agent may allow: its owner to write, its group to read, others nothing."""

_PLAIN_WORDS = re.compile(r"[A-Za-z0-9_./:=@%+,-]+(?: +[A-Za-z0-9_./:=@%+,-]+)*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    return value


def _nonempty(value: Any) -> str:
    text = _text(value)
    if not text:
        raise ValueError
    return text


def _path(value: Any) -> str:
    # Made absolute once, at the start: a later change of the working folder must not change what is meant.
    return os.path.abspath(_nonempty(value))  # noqa: PTH100 -- pathlib has no counterpart that also removes '..'


def _output(value: Any) -> str:
    text = _nonempty(value)
    if ".." in text.split("/") or text.endswith("/"):
        raise ValueError
    return _path(text)


def _paths(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(_output(item) for item in value)


def _mode(value: Any) -> int:
    if isinstance(value, str):
        if not re.fullmatch(r"0?o?[0-7]{1,4}", value):
            raise ValueError
        value = int(value.replace("o", ""), 8)
    if isinstance(value, bool) or not isinstance(value, int) or value & ~WIDEST_MODE or not value & 0o400:
        raise ValueError
    return value


def _command(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        if not _PLAIN_WORDS.fullmatch(value):
            raise ValueError
        return tuple(value.split())
    if not isinstance(value, list) or not value:
        raise ValueError
    words = tuple(_text(word) for word in value)
    if not words[0]:
        raise ValueError
    return words


def _signal(value: Any) -> signal.Signals:
    found = getattr(signal, "SIG" + _text(value).upper().removeprefix("SIG"), None)
    if not isinstance(found, signal.Signals):
        raise ValueError
    return found


def _natural(value: Any) -> int:
    number = decode_int(value)
    if number < 0:
        raise ValueError
    return number


def _naturals(value: Any) -> tuple[int, ...]:
    numbers = tuple(decode_int_list(value))
    if any(number < 0 for number in numbers):
        raise ValueError
    return numbers


def _duration(value: Any) -> int:
    seconds = decode_duration(value)
    if seconds < 0:
        raise ValueError
    return seconds


def _positive_duration(value: Any) -> int:
    seconds = _duration(value)
    if seconds == 0:
        raise ValueError
    return seconds


def _fraction(value: Any) -> float:
    if isinstance(value, bool | str) or not 0 < float(value) < 1:
        raise ValueError
    return float(value)


def _variable(value: Any) -> str:
    if not _NAME.fullmatch(_text(value)):
        raise ValueError
    return _text(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError
    return value


def choice(*words: str) -> Kind:
    """One of the given words."""

    def decode(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return Kind("one of " + ", ".join(f'"{word}"' for word in words), decode)


TEXT = Kind("a text in quotes", _text)
NONEMPTY = Kind("a text in quotes that is not empty", _nonempty)
BOOLEAN = Kind("true or false", decode_bool)
NATURAL = Kind("a whole number, and not below zero", _natural)
INTEGER = Kind("a whole number", decode_int)
NATURALS = Kind("a list of whole numbers, like [0, 1000]", _naturals)
TEXTS = Kind("a list of texts", lambda value: tuple(decode_str_list(value)))
DURATION = Kind('a duration: whole seconds, or a text like "30s", "5m"', _duration)
POSITIVE_DURATION = Kind('a duration above zero: whole seconds, or a text like "30s", "5m"', _positive_duration)
FRACTION = Kind("a number between 0 and 1, like 0.9", _fraction)
FILE = Kind("the path of a file, in quotes", _path)
OUTPUT = Kind("the path of a file, in quotes, without .. in it", _output)
FOLDERS = Kind('a list of folders, like ["/run/app"], without .. in them', _paths)
MODE = Kind(
    'a file mode that lets nobody but the owner write and others read nothing, like "0600", "0400" or "0640"', _mode
)
COMMAND = Kind(
    'a list of the program and its arguments, like ["systemctl", "reload", "app"]; a shell is '
    'started only where it is named, as in ["sh", "-c", "..."]',
    _command,
)
SIGNAL = Kind('the name of a signal, like "SIGTERM" or "HUP"', _signal)
VARIABLE = Kind("the name of a variable: letters, digits and _", _variable)
OBJECT = Kind("an object: { key = value }", _object)
