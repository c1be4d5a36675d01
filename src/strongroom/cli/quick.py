"""``run``, ``kv get`` and ``scan dir`` without click, which would take as long to load as all the rest: for command lines without a doubt.

The flags are those of the same tables, cut into words by the same function and read by the same kinds. Whatever is not understood
whole (a mistake, a question for help, a shell that completes) is left to click, which finds the words for it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from strongroom.cli.flags import BadFlag, Flag, Quick
from strongroom.cli.http_options import http_options, output_options
from strongroom.cli.words import COMPLETION_VARIABLE, BadUsage, asks_for_help, normalise


class Understood(NamedTuple):
    """A command line that was read: the value of every flag, the words behind the flags, and whose flags the session has."""

    values: dict[str, Any]
    arguments: tuple[str, ...]
    shared: frozenset[str]


def attempt(words: Sequence[str]) -> int | None:
    """Do what ``words`` say, and the exit code; None where click has to read them."""
    if COMPLETION_VARIABLE in os.environ:
        return None
    command, rest = _command(words)
    understood = read(command, rest) if command else None
    if command is None or understood is None:
        return None
    from strongroom.cli.ending import call, ended, prepare_streams

    module, _, name = command.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    prepare_streams()
    return ended(lambda: call(function, understood.arguments, understood.values, understood.shared))


def _command(words: Sequence[str]) -> tuple[Quick | None, Sequence[str]]:
    if words[:1] == ["run"]:
        from strongroom.cli.run_flags import RUN

        return RUN, words[1:]
    if words[:2] == ["kv", "get"]:
        from strongroom.cli.kv_get import KV_GET

        return KV_GET, words[2:]
    if words[:2] == ["scan", "dir"]:
        from strongroom.cli.scan_dir import SCAN_DIR

        return SCAN_DIR, words[2:]
    return None, words


def read(command: Quick, words: Sequence[str]) -> Understood | None:
    """What ``words`` behind the command's name say; None where click has to read them."""
    shared = [*(http_options() if command.is_remote else ()), *output_options(command.output)]
    flags = [*command.flags, *shared]
    valued = _names(flags, switches=False)
    if asks_for_help(words, valued, anywhere=command.anywhere):
        return None
    try:
        normal = normalise(words, valued, _names(flags, switches=True), anywhere=command.anywhere)
        values = _values(normal[: normal.index("--")], flags)
    except (BadUsage, BadFlag):
        return None
    arguments = tuple(normal[normal.index("--") + 1 :])
    if command.arity is not None and len(arguments) != command.arity:
        return None
    return Understood(values, arguments, frozenset(flag.key for flag in shared))


def _names(flags: Sequence[Flag], *, switches: bool) -> dict[str, str]:
    return {name: flag.names[0] for flag in flags if flag.kind.is_switch == switches for name in flag.names}


def _values(words: Sequence[str], flags: Sequence[Flag]) -> dict[str, Any]:
    given: dict[str, list[str]] = {}
    for word in words:
        name, _, text = word.partition("=")
        given.setdefault(name, []).append(text)
    return {flag.key: _value(flag, given.get(flag.names[0], ())) for flag in flags}


def _value(flag: Flag, texts: Sequence[str]) -> Any:
    if flag.is_repeated:
        return tuple(flag.kind.read(text, flag.names[0]) for text in texts)
    return flag.kind.read(texts[-1], flag.names[0]) if texts else flag.default
