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

# Variables that decide which code a program loads, or where it looks for its settings: whoever may write a secret must not
# thereby run code where it is read.
_STEERS_CODE = frozenset(
    {
        *(
            "BASH_ENV",
            "BASHOPTS",
            "BROWSER",
            "CDPATH",
            "CLASSPATH",
            "CURL_HOME",
            "DOTNET_STARTUP_HOOKS",
            "EDITOR",
            "ENV",
        ),
        *("GCONV_PATH", "GIT_ASKPASS", "GIT_DIR", "GIT_EDITOR", "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "GIT_PAGER"),
        *(
            "GIT_PROXY_COMMAND",
            "GIT_SEQUENCE_EDITOR",
            "GIT_SSH",
            "GIT_SSH_COMMAND",
            "GIT_TEMPLATE_DIR",
            "GIT_WORK_TREE",
        ),
        *(
            "GLIBC_TUNABLES",
            "HOME",
            "IFS",
            "JDK_JAVA_OPTIONS",
            "LESSCLOSE",
            "LESSOPEN",
            "LOCPATH",
            "LUA_INIT",
            "MANPAGER",
        ),
        *("NODE_OPTIONS", "NODE_PATH", "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES", "PAGER", "PATH", "PHPRC"),
        *("PHP_INI_SCAN_DIR", "PROMPT_COMMAND", "PS4", "RUBYLIB", "RUBYOPT", "SHELL", "SHELLOPTS", "SSH_ASKPASS"),
        *("VISUAL", "ZDOTDIR", "_JAVA_OPTIONS"),
    }
)
_STEERS_CODE_PREFIXES = (
    *("BASH_FUNC_", "CORECLR_", "COR_PROFILER", "DYLD_", "GIT_CONFIG", "JAVA_TOOL_OPTIONS", "LD_", "NPM_CONFIG_"),
    *("PERL5", "PYTHON", "npm_config_"),
)


class CannotDeliver(Exception):
    """The secrets cannot become an environment. The text names keys and sources, never a value."""


class Source(NamedTuple):
    """One secret as it was read: where it stands, its keys and values, and as what it takes part (``layer``)."""

    label: str
    values: Mapping[str, Any]
    layer: str = ""

    def __repr__(self) -> str:
        return f"Source({self.label})"


class Selection(NamedTuple):
    """Which keys become variables, and how they are called. An empty ``only`` means all.

    A key in ``rename`` gets exactly that name, every other the ``prefix``.
    """

    only: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    prefix: str = ""
    rename: Mapping[str, str] = {}


class Variable(NamedTuple):
    """One variable. ``replaced`` names the sources whose value for it lost; ``differs`` tells whether one was another."""

    name: str
    source: str
    value: Secret[str]
    replaced: tuple[str, ...] = ()
    layer: str = ""
    differs: bool = False


Check = Callable[[str, str], None]
"""Says whether a name can be used, given the name and the words for where it comes from. Raises CannotDeliver."""


class Inheritance(NamedTuple):
    """What of the caller's environment a program gets.

    ``clean`` leaves only ``KEPT_WHEN_CLEAN``. ``preserve`` names variables of the caller that win over a secret (None: all of
    them). The caller's vault token is left out unless ``token``.
    """

    clean: bool = False
    preserve: frozenset[str] | None = frozenset()
    token: bool = False


def collect(
    sources: Sequence[Source], selection: Selection, encode: Callable[[Any], str], check: Check | None = None
) -> list[Variable]:
    """The variables of ``sources``, in order of their names. ``encode`` makes text of a value that is none.

    Raises CannotDeliver for a key that cannot be a variable's name, for a value that no environment can carry, for two keys
    of one source that would become one variable, and for a name in the selection that no source has. With ``check`` the
    values become something else than variables: it judges the names, and every value fits.
    """
    found: dict[str, Variable] = {}
    seen: set[str] = set()
    for source in sources:
        taken: dict[str, str] = {}
        for key, value in source.values.items():
            if not _is_selected(key, selection):
                continue
            seen.add(key)
            name = selection.rename.get(key, selection.prefix + key)
            where = f"the key {key!r} of {source.label}"
            if name in taken:
                raise CannotDeliver(f"{where} and the key {taken[name]!r} would both become {name}: leave one out")
            taken[name] = key
            if check is not None:
                check(name, where)
            else:
                _check_name(name, where, named=key in selection.only or key in selection.rename)
            text = _as_text(value, where, encode) if check is None else Secret(_text_of(value, encode))
            found[name] = _settled(found.get(name), Variable(name, source.label, text, (), source.layer))
    missing = sorted((selection.only | selection.rename.keys()) - seen - selection.exclude)
    if missing:
        raise CannotDeliver(f"no secret holds {', '.join(missing)}")
    return [found[name] for name in sorted(found)]


def _settled(before: Variable | None, now: Variable) -> Variable:
    if before is None:
        return now
    differs = before.differs or before.value != now.value
    return now._replace(replaced=(*before.replaced, before.source), differs=differs)


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


def steers_code(name: str) -> bool:
    """Whether a variable of this name decides which code a program runs."""
    return name in _STEERS_CODE or name.startswith(_STEERS_CODE_PREFIXES)


def _check_name(name: str, where: str, *, named: bool) -> None:
    if not (name.isascii() and name.isidentifier()):
        raise CannotDeliver(
            f"{where} cannot be the name of a variable (letters, digits and _): "
            f"give it another with -rename, or leave it out with -exclude"
        )
    if steers_code(name) and not named:
        raise CannotDeliver(
            f"{where} would change which code the program runs: "
            f"leave it out with -exclude, or name it in -only or -rename if that is wanted"
        )


def _as_text(value: Any, where: str, encode: Callable[[Any], str]) -> Secret[str]:
    text = _text_of(value, encode)
    try:
        carried = "\0" not in text and text.encode("utf-8") is not None
    except UnicodeEncodeError:
        carried = False
    if not carried:
        raise CannotDeliver(f"the value of {where} holds a zero byte or broken text, which no variable can carry")
    return Secret(text)


def _text_of(value: Any, encode: Callable[[Any], str]) -> str:
    return value if isinstance(value, str) else encode(value)
