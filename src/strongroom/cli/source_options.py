# ruff: noqa: PTH111, PTH116, PTH118 -- pathlib would add to the start of ``run``
"""What is delivered and under which names: the flags that ``run`` and ``export`` have in common, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.flags import Flag, Kind, switch, text, texts
from strongroom.cli.run_sources import Wanted
from strongroom.client.settings import variable
from strongroom.delivery.environment import Selection, Variable

if TYPE_CHECKING:
    from strongroom.cli.offline import FallbackReader
    from strongroom.cli.session import Session
    from strongroom.client.client import Client


def source_options() -> list[Flag]:
    """The flags that name secrets, and those that choose and rename keys."""
    return [
        texts("-path", help="Secret to read, as MOUNT/NAME or sr://ENV/PATH. Of two values the later path's wins."),
        texts(
            "-env", "-e", help="Environment to take secrets from; every -path is then a path in it. May be repeated."
        ),
        texts(
            "-env-file",
            help="File of NAME=value lines; a value may be a reference, sr://ENV/PATH#KEY. May be repeated.",
        ),
        text("-kv-mount", help="Path of the kv store; every -path is then a name below it."),
        text("-prefix", help="Put this before the name of every variable."),
        texts("-rename", help="Give a key another name: KEY=NAME. May be repeated."),
        texts("-only", help="Only these keys: A,B. May be repeated."),
        texts("-exclude", help="All keys but these: A,B. May be repeated."),
    ]


def fallback_options() -> list[Flag]:
    """The flags for times when the server does not answer."""
    return [
        Flag(
            ("-fallback",),
            Kind("age", _age, is_switch=True),
            "Keep sealed copies, and use one of at most this age (24h) when the server does not answer. [..._FALLBACK]",
            None,
            metavar="[=AGE]",
        ),
        switch("-no-fallback", help="Neither keep nor use copies, whatever the environment says."),
        switch("-offline", help="Do not ask the server: use the copies alone."),
    ]


def fallback_reader(session: Session, client: Client, flags: Mapping[str, Any]) -> FallbackReader | None:
    """The reader that keeps copies, if the flags or the environment want one. Raises CommandFailed."""
    asked = flags["fallback"] if flags["fallback"] is not None else variable(session.environ, "FALLBACK") or None
    if flags["no_fallback"] or (asked is None and not flags["offline"]):
        if flags["no_fallback"] and flags["offline"]:
            raise CommandFailed("-offline uses copies, and -no-fallback forbids them: choose one")
        return None
    from strongroom.cli import offline

    return offline.fallback_reader(session, client, offline_folder(session.environ), asked or "", only=flags["offline"])


def offline_folder(environ: Mapping[str, str]) -> str:
    """Where copies and the queue are kept."""
    state = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):  # noqa: PTH117 -- a name as it is
        state = os.path.join(environ.get("HOME", "") or os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "strongroom", "offline")


def report_offline_reads(session: Session, client: Client) -> None:
    """Tell the server what was read without it, if anything was. Says so to the person where that fails."""
    folder = offline_folder(session.environ)
    try:
        waits = os.stat(os.path.join(folder, "unreported-reads")).st_size > 0
    except OSError:
        return
    if waits:
        from strongroom.cli.offline import report

        report(client, folder, session.note)


def wanted(flags: Mapping[str, Any]) -> Wanted:
    """What the flags name."""
    return Wanted(flags["path"], flags["kv_mount"], flags["env"], flags["env_file"])


def selection(flags: Mapping[str, Any]) -> Selection:
    """Which keys the flags choose, and how they are called. Raises CommandFailed."""
    only = names(flags["only"])
    if flags["only"] and not only:
        # What an empty variable gives; without the flag it would be everything.
        raise CommandFailed("-only names no key; leave it out to deliver all of them")
    return Selection(only, names(flags["exclude"]), flags["prefix"], _renamed(flags["rename"]))


def tell_conflicts(session: Session, variables: list[Variable]) -> None:
    """Name, for a person, the variables for which two sources on the command line had different values."""
    for item in variables:
        if item.differs and not item.layer:
            session.note(
                f"{item.name} is the one of {item.source}; {', '.join(item.replaced)} had another value for it"
            )


def names(words: tuple[str, ...]) -> frozenset[str]:
    """The names in words like ``A,B``."""
    return frozenset(name.strip() for word in words for name in word.split(",") if name.strip())


def _renamed(words: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in (part for given in words for part in given.split(",")):
        key, equals, name = word.strip().partition("=")
        if not (key and equals and name):
            raise CommandFailed("-rename takes KEY=NAME")
        found[key] = name
    return found


def _age(value: str, name: str) -> str | None:
    """``-fallback`` alone means the usual greatest age, which is ``""``; ``-fallback=12h`` another."""
    del name
    return {"true": "", "false": None}.get(value, value)
