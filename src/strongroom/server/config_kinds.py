"""The kinds of value a setting can have: how each is written, and how it is read.

A decoder raises ValueError for what is not of its kind. The text that the reader shows then is ``Kind.expected``: it says what
to write, and never what was written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from strongroom.logical.field import decode_bool, decode_duration, decode_int, decode_str_list

_SIZE = re.compile(r"([0-9]{1,15}) ?(B|KiB|MiB|GiB|kB|MB|GB)?")
_SIZE_UNITS = {
    None: 1,
    "B": 1,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}
_WORKERS_MAX = 64
_MODE = re.compile(r"0?[0-7]{3}")
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z.\-]{0,253})):([0-9]{1,5})")
_KEY_SOURCE = re.compile(r"(file|credential|descriptor)://([^\x00-\x1f\x7f]+)")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value. ``expected`` completes "must be ..."; ``decode`` raises ValueError."""

    expected: str
    decode: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener listens. An empty ``host`` means every interface."""

    host: str
    port: int


class KeyPlace(Enum):
    """Where a key may be read from. Never the environment, the command line or the configuration itself."""

    FILE = "file"
    CREDENTIAL = "credential"
    """A file in the folder that systemd's ``LoadCredential=`` made."""
    DESCRIPTOR = "descriptor"
    """An inherited, already open file descriptor."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a key is: ``location`` is an absolute path, the name of a credential, or the number of a descriptor."""

    place: KeyPlace
    location: str


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _key_id(value: Any) -> str:
    text = _nonempty(value)
    if len(text.encode()) > 255:
        raise ValueError
    return text


def _nonempty(value: Any) -> str:
    text = _text(value)
    if not text or "\x00" in text:
        raise ValueError
    return text


def _path(value: Any) -> str:
    # Made absolute once, at the start: a later change of the working folder must not change what is meant.
    return os.path.abspath(_nonempty(value))  # noqa: PTH100 -- pathlib has no counterpart that also removes '..'


def _paths(value: Any) -> tuple[str, ...]:
    return tuple(_path(item) for item in decode_str_list(value))


def _workers(value: Any) -> int:
    number = _positive(value)
    if number > _WORKERS_MAX:
        raise ValueError
    return number


def _audit_rule(value: Any) -> tuple[str, ...]:
    names = decode_str_list(value)
    if not names or any(not name.strip("/") for name in names):
        raise ValueError
    return () if names == ["any"] else tuple(name.strip("/") for name in names)


def _positive_duration(value: Any) -> int:
    seconds = decode_duration(value)
    if seconds <= 0:
        raise ValueError
    return seconds


def _positive(value: Any) -> int:
    number = decode_int(value)
    if number <= 0:
        raise ValueError
    return number


def _size(value: Any) -> int:
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            raise ValueError
        value = int(match[1]) * _SIZE_UNITS[match[2]]
    return _positive(value)


def _mode(value: Any) -> int:
    text = _text(value)
    if not _MODE.fullmatch(text):
        raise ValueError
    return int(text, 8)


def _address(value: Any) -> Address:
    match = _ADDRESS.fullmatch(_text(value))
    if match is None or int(match[3]) > 65535:
        raise ValueError
    return Address(match[1] or match[2] or "", int(match[3]))


def _key_source(value: Any) -> KeySource:
    match = _KEY_SOURCE.fullmatch(_text(value))
    if match is None:
        raise ValueError
    place, location = KeyPlace(match[1]), match[2]
    if place is KeyPlace.FILE:
        location = _path(location)
    elif (place is KeyPlace.CREDENTIAL and ("/" in location or location in {".", ".."})) or (
        place is KeyPlace.DESCRIPTOR and not (location.isascii() and location.isdecimal() and int(location) > 2)
    ):
        raise ValueError
    return KeySource(place, location)


def choice(**choices: Any) -> Kind:
    """One of the given words, each with what it stands for."""

    def decode(value: Any) -> Any:
        try:
            return choices[_text(value).lower()]
        except KeyError:
            raise ValueError from None

    return Kind("one of " + ", ".join(f'"{word}"' for word in choices), decode)


TEXT = Kind("a text in quotes", _text)
NONEMPTY = Kind("a text in quotes that is not empty", _nonempty)
KEY_ID = Kind("a text in quotes, of 1 to 255 bytes in UTF-8", _key_id)
BOOLEAN = Kind("true or false", decode_bool)
WHOLE = Kind("a whole number greater than zero", _positive)
WORKERS = Kind("a whole number from 1 to 64", _workers)
DURATION = Kind('a duration greater than zero: whole seconds, or a text like "30s", "15m", "768h"', _positive_duration)
SIZE = Kind('a size: whole bytes, or a text like "512KiB", "32MiB"', _size)
MODE = Kind('a file mode as a text of octal digits, like "0600"', _mode)
FILE = Kind("the path of a file, in quotes", _path)
FOLDER = Kind("the path of a folder, in quotes", _path)
AUDIT_RULE = Kind('"any", or a list of names of audit devices, like ["main"]', _audit_rule)
FOLDERS = Kind('a list of folders, like ["/var/log/strongroom"]', _paths)
ADDRESS = Kind('an address and port, like "127.0.0.1:8200" or "[::1]:8200"', _address)
KEY_SOURCE = Kind(
    '"file:///PATH", "credential://NAME" or "descriptor://NUMBER": a key never stands in the configuration or the environment',
    _key_source,
)
