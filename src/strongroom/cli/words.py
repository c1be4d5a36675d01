"""A command line as words: Vault's grammar of flags, before anything knows what they mean. Knows nothing of click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

COMPLETION_VARIABLE = "_STRONGROOM_COMPLETE"
"""Set by a shell's script that asks which words may come next, instead of running a command."""

HELP_WORDS = frozenset({"-h", "-help", "--help", "--h"})


class BadUsage(Exception):
    """Words that are no use of the command. The text is for a person, in the words of Go's flag parser."""


def asks_for_help(arguments: Sequence[str], valued: Mapping[str, str], *, anywhere: bool) -> bool:
    """Whether a flag for help is among the command's own words: not a value of another flag, and not a foreign program's."""
    rest = iter(arguments)
    for word in rest:
        if word in HELP_WORDS:
            return True
        if len(word) < 2 or not word.startswith("-"):
            if not anywhere:
                return False
        elif word == "--":
            return False
        elif word.replace("--", "-", 1) in valued:
            next(rest, None)
    return False


def normalise(
    arguments: Sequence[str], valued: Mapping[str, str], switches: Mapping[str, str], *, anywhere: bool
) -> list[str]:
    """``arguments`` as ``-flag=value`` words, then ``--``, then the positional ones: what can be read without a doubt.

    ``valued`` and ``switches`` map every spelling of a flag (with one dash) to its first one. Without ``anywhere`` the first
    positional argument ends the flags. Raises BadUsage.
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
                raise BadUsage(f"flag needs an argument: {name}")
            flags.append(f"{valued[name]}={value if equals else rest.pop(0)}")
        else:
            _unknown_flag(name, [*valued, *switches])
    return [*flags, "--", *positional]


def _unknown_flag(name: str, known: list[str]) -> NoReturn:
    if name in {"-token", "-root-token"}:
        raise BadUsage(
            "a token is never given as a flag, where every process can read it. "
            "Set STRONGROOM_TOKEN, or log in: strongroom login"
        )
    raise BadUsage(f"flag provided but not defined: {name}{suggestion(name, known)}")


def suggestion(word: str, known: Sequence[str]) -> str:
    """`` Did you mean …?`` where something known is near, else nothing."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f". Did you mean {near[0]}?" if near else ""
