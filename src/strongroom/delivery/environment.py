"""From secrets to the environment of a program: pure functions over names and values.

Names are checked, conflicts are settled in the open (the later source wins), and nothing here ever shows a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from strongroom.logical.secret import Secret

TOKEN_VARIABLES = frozenset({"STRONGROOM_TOKEN", "BAO_TOKEN", "VAULT_TOKEN"})
"""What the caller uses to talk to the vault, and the program has no need for."""

KEPT_WHEN_CLEAN = frozenset({"HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"})
"""What a program gets of the caller's environment with ``clean`` (and every ``LC_*``)."""

# Variables that decide which code a program loads: whoever may write a secret must not thereby run code where it is read.
_STEERS_CODE = frozenset({"BASH_ENV", "ENV", "IFS", "NODE_OPTIONS", "PATH", "PERL5LIB", "PERL5OPT", "RUBYOPT"})
_STEERS_CODE_PREFIXES = ("LD_", "DYLD_", "PYTHON", "GIT_CONFIG", "JAVA_TOOL_OPTIONS", "BASH_FUNC_")


class CannotDeliver(Exception):
    """The secrets cannot become an environment. The text names keys and sources, never a value."""


class Source(NamedTuple):
    """One secret as it was read: where it stands, and its keys and values."""

    label: str
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Source({self.label})"


class Selection(NamedTuple):
    """Which keys become variables, and how they are called. An empty ``only`` means all."""

    only: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    prefix: str = ""


class Variable(NamedTuple):
    """One variable. ``replaced`` names the sources whose value for it lost."""

    name: str
    source: str
    value: Secret[str]
    replaced: tuple[str, ...] = ()


class Inheritance(NamedTuple):
    """What of the caller's environment a program gets.

    ``clean`` leaves only ``KEPT_WHEN_CLEAN``. ``preserve`` names variables of the caller that win over a secret (None: all of
    them). The caller's vault token is left out unless ``token``.
    """

    clean: bool = False
    preserve: frozenset[str] | None = frozenset()
    token: bool = False


def collect(sources: Sequence[Source], selection: Selection, encode: Callable[[Any], str]) -> list[Variable]:
    """The variables of ``sources``, in order of their names. ``encode`` makes text of a value that is none.

    Raises CannotDeliver for a key that cannot be a variable's name, for a value that no environment can carry, and for a name
    in ``selection.only`` that no source has.
    """
    found: dict[str, Variable] = {}
    seen: set[str] = set()
    for source in sources:
        for key, value in source.values.items():
            if not _is_selected(key, selection):
                continue
            seen.add(key)
            name = selection.prefix + key
            _check_name(name, key, source.label, named=key in selection.only)
            before = found.get(name)
            replaced = (*before.replaced, before.source) if before else ()
            found[name] = Variable(name, source.label, _as_text(value, key, source.label, encode), replaced)
    missing = sorted(selection.only - seen - selection.exclude)
    if missing:
        raise CannotDeliver(f"no secret holds {', '.join(missing)}")
    return [found[name] for name in sorted(found)]


def environment(
    variables: Iterable[Variable], inherited: Mapping[str, str], inheritance: Inheritance
) -> dict[str, str]:
    """The environment of the program: what it inherits, and the secrets."""
    result = {name: value for name, value in inherited.items() if _is_inherited(name, inheritance)}
    for variable in variables:
        if variable.name in inherited and is_preserved(variable.name, inheritance):
            result[variable.name] = inherited[variable.name]
        else:
            result[variable.name] = variable.value.reveal()
    return result


def is_preserved(name: str, inheritance: Inheritance) -> bool:
    """Whether the caller's own value for ``name`` wins over a secret."""
    return inheritance.preserve is None or name in inheritance.preserve


def _is_inherited(name: str, inheritance: Inheritance) -> bool:
    if name in TOKEN_VARIABLES:
        return inheritance.token
    return not inheritance.clean or name in KEPT_WHEN_CLEAN or name.startswith("LC_")


def _is_selected(key: str, selection: Selection) -> bool:
    return key not in selection.exclude and (not selection.only or key in selection.only)


def _check_name(name: str, key: str, label: str, *, named: bool) -> None:
    if not (name.isascii() and name.isidentifier()):
        raise CannotDeliver(
            f"the key {key!r} of {label} cannot be the name of a variable (letters, digits and _): "
            f"rename it, or leave it out with -exclude"
        )
    steers = name in _STEERS_CODE or name.startswith(_STEERS_CODE_PREFIXES)
    if steers and not named:
        raise CannotDeliver(
            f"the key {key!r} of {label} would change which code the program runs: "
            f"leave it out with -exclude, or name it in -only if that is wanted"
        )


def _as_text(value: Any, key: str, label: str, encode: Callable[[Any], str]) -> Secret[str]:
    text = value if isinstance(value, str) else encode(value)
    try:
        carried = "\0" not in text and text.encode("utf-8") is not None
    except UnicodeEncodeError:
        carried = False
    if not carried:
        raise CannotDeliver(
            f"the value of {key!r} of {label} holds a zero byte or broken text, which no variable can carry"
        )
    return Secret(text)
