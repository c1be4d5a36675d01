"""The project file ``.strongroom.toml``: which values a program needs, as references. It can be committed.

    environment = "development"            # the one in use where nobody names another
    secrets = ["sr:///app"]                # every key of a secret becomes a variable

    [variables]
    DB_PASSWORD = "sr:///app#password"

    [environments.development]
    path = "secret/development"            # where sr://development/… is on the server

    [environments.production]
    path = "secret/production"
    protected = true                       # no copy of it is kept for times without the server
    variables = { API_KEY = "sr://production/partner#key" }

Nothing in it can run anything, name a server or hold a value: it may come from somebody else's repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from strongroom.delivery.reference import BadReference, Reference, checked_environment, parse

_TOP = frozenset({"environment", "secrets", "variables", "environments"})
_PERSONAL_TOP = frozenset({"environment", "secrets", "variables"})
_ENVIRONMENT = frozenset({"path", "protected", "secrets", "variables"})


class BadProject(Exception):
    """A project file that cannot be used. The text names the line and what to write instead, and shows no value."""


class Environment(NamedTuple):
    """One environment as the project sees it. ``path`` is ``""`` where the server is to be asked."""

    path: str = ""
    protected: bool | None = None
    secrets: tuple[Reference, ...] = ()
    variables: Mapping[str, Reference] = {}


class Project(NamedTuple):
    """A project file. ``personal`` is the one of the same form that is not committed, if there is one."""

    environment: str = ""
    secrets: tuple[Reference, ...] = ()
    variables: Mapping[str, Reference] = {}
    environments: Mapping[str, Environment] = {}
    personal: Project | None = None

    def place(self, name: str) -> Environment:
        """The environment called ``name``; one without anything where the file does not know it."""
        return self.environments.get(name, Environment())


def read_project(text: str, *, personal: bool = False) -> Project:
    """The project that ``text`` describes. Raises BadProject."""
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProject(f"is not TOML: {_without_quotes(str(error))}") from None
    except RecursionError:
        raise BadProject("is nested too deep") from None
    return _Reader(text).project(found, _PERSONAL_TOP if personal else _TOP)


def is_protected(name: str, *, known: bool | None) -> bool:
    """Whether an environment is to be treated as one that matters most; by its name, where nobody said it."""
    return known if known is not None else name.startswith("prod")


class _Reader:
    """Turns tables into records; knows the text, to name lines."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def project(self, table: Mapping[str, Any], known: frozenset[str]) -> Project:
        self._check_keys(table, known, "")
        environments = self._table(table, "environments", "")
        return Project(
            environment=self._environment_name(table),
            secrets=self._secrets(table, ""),
            variables=self._variables(table, ""),
            environments={name: self._one(name, value) for name, value in environments.items()},
        )

    def _one(self, name: str, table: Any) -> Environment:
        where = f"environments.{name}"
        try:
            checked_environment(name)
        except BadReference as error:
            raise self._bad(name, where, str(error)) from None
        if not isinstance(table, dict):
            raise self._bad(name, "environments", "must be a table")
        self._check_keys(table, _ENVIRONMENT, where)
        path, protected = table.get("path", ""), table.get("protected")
        if not isinstance(path, str) or (path and not _is_path(path)):
            raise self._bad("path", where, 'must be a path of the server, like "secret/development"')
        if protected is not None and not isinstance(protected, bool):
            raise self._bad("protected", where, "must be true or false")
        return Environment(path.strip("/"), protected, self._secrets(table, where), self._variables(table, where))

    def _environment_name(self, table: Mapping[str, Any]) -> str:
        name = table.get("environment", "")
        try:
            return checked_environment(name) if name or not isinstance(name, str) else ""
        except (BadReference, TypeError):
            raise self._bad("environment", "", "must be the name of an environment") from None

    def _secrets(self, table: Mapping[str, Any], where: str) -> tuple[Reference, ...]:
        listed = table.get("secrets", [])
        if not isinstance(listed, list):
            raise self._bad("secrets", where, 'must be a list of references, like ["sr:///app"]')
        references = tuple(self._reference("secrets", where, item) for item in listed)
        if any(reference.key for reference in references):
            raise self._bad("secrets", where, "names whole secrets; a reference with a #KEY belongs under variables")
        return references

    def _variables(self, table: Mapping[str, Any], where: str) -> dict[str, Reference]:
        inside = f"{where}.variables" if where else "variables"
        found = {}
        for name, value in self._table(table, "variables", where).items():
            found[name] = self._reference(name, inside, value)
            if not found[name].key:
                raise self._bad(name, inside, 'must name a key: "sr:///PATH#KEY"')
        return found

    def _table(self, table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self._bad(key, where, "must be a table")
        return value

    def _reference(self, key: str, where: str, value: Any) -> Reference:
        if not isinstance(value, str) or not value.startswith("sr://"):
            raise self._bad(key, where, 'must be a reference like "sr:///PATH#KEY": values have no place in this file')
        try:
            return parse(value)
        except BadReference as error:
            raise self._bad(key, where, str(error)) from None

    def _check_keys(self, table: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        for key in table:
            if key not in known:
                import difflib

                near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
                advice = f"did you mean {near[0]}?" if near else f"it takes {', '.join(sorted(known))}"
                raise self._bad(key, where, f"is no setting of this file; {advice}")

    def _bad(self, key: str, where: str, what: str) -> BadProject:
        line = _line_of(self._lines, where, key)
        return BadProject(f"{f'line {line}: ' if line else ''}{key} {what}")


def _line_of(lines: list[str], where: str, key: str) -> int:
    """The line on which ``key`` stands in the table ``where``; 0 where it is written in a way that is hard to find."""
    table = ""
    loose = 0
    for number, line in enumerate(lines, 1):
        header = re.fullmatch(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?", line)
        if header:
            table = re.sub(r"[\s\"']", "", header[1])
            if table in {f"{where}.{key}", where or key}:
                loose = loose or number
            continue
        if table == where and re.fullmatch(rf"""\s*["']?{re.escape(key)}["']?\s*[=.].*""", line):
            return number
        if not loose and re.search(rf"""(?<![\w-]){re.escape(key)}["']?\s*=""", line):
            loose = number
    return loose


def _is_path(path: str) -> bool:
    try:
        return parse(f"{path}#KEY").path == path.strip("/") and "#" not in path
    except BadReference:
        return False


def _without_quotes(text: str) -> str:
    # The parser may quote a piece of the line, and somebody may have written a value there.
    return re.sub(r"'[^']*'", "…", text)
