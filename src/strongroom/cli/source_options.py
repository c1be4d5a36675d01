"""What is delivered and under which names: the flags that ``run`` and ``export`` have in common, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.flags import Flag, text, texts
from strongroom.cli.run_sources import Wanted
from strongroom.delivery.environment import Selection, Variable

if TYPE_CHECKING:
    from strongroom.cli.session import Session


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


def wanted(flags: Mapping[str, Any]) -> Wanted:
    """What the flags name."""
    return Wanted(flags["path"], flags["kv_mount"], flags["env"], flags["env_file"])


def selection(flags: Mapping[str, Any]) -> Selection:
    """Which keys the flags choose, and how they are called. Raises CommandFailed."""
    return Selection(names(flags["only"]), names(flags["exclude"]), flags["prefix"], _renamed(flags["rename"]))


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
