"""A gitleaks configuration (TOML) as rules of ours and what they allow.

Go's regular expressions are RE2's, so its patterns are ours but for which group is the secret. What cannot be read is an error that names the
rule; a rule that looks at names of files alone is left out, and named in `left_out`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from strongroom.scanner.gitleaks.allowlist import Allowlist, NotAllowed
from strongroom.scanner.regex import BadPattern, compile_regex
from strongroom.scanner.rule import Rule, Severity, is_rule_id
from strongroom.scanner.seen import Seen

REACH = 8192
"""Bytes that a match of a foreign pattern, which has no bound of its own, may be long."""
MOST_EXTENSIONS = 2
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\((?!\?)|\(\?P?<(?![=!])|[()|]", re.DOTALL)
_ANY_KEY = "generic-api-key"
_TARGETS = {"": "secret", "secret": "secret", "match": "match", "line": "text"}


class BadGitleaksConfig(ValueError):
    """A configuration that cannot be read. The text names the rule, and holds no pattern."""


@dataclass(frozen=True, slots=True)
class GitleaksConfig:
    """What a configuration says. `uses_default` asks for the rules that come with the scanner, `disabled` names those that are not wanted."""

    rules: tuple[Rule, ...] = ()
    paths: Mapping[str, str] | None = None
    allowlists: tuple[Allowlist, ...] = ()
    uses_default: bool = False
    disabled: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()
    of_rules: tuple[Allowlist, ...] = ()
    """The lists that stand at rules; `allowlists` are those of the whole configuration."""
    entries: Mapping[str, Mapping[str, Any]] | None = field(default=None, repr=False)
    """The tables of the rules, for a file that builds on this one."""

    def allows(self, seen: Seen) -> bool:
        """Whether a finding is allowed, or its rule is not for its path."""
        wanted = (self.paths or {}).get(seen.rule)
        if wanted is not None and seen.has_place and compile_regex(wanted).search(seen.path.encode()) is None:
            return True
        return any(one.allows(seen) for one in (*self.allowlists, *self.of_rules))


def is_gitleaks(values: Mapping[str, Any]) -> bool:
    """Whether these are the tables of a configuration of gitleaks: it has words of its own."""
    rules = values.get("rules")
    has_own_rules = isinstance(rules, list) and any(isinstance(rule, dict) and "regex" in rule for rule in rules)
    return has_own_rules or not {"extend", "allowlist", "allowlists"}.isdisjoint(values)


def parse_gitleaks(
    values: Mapping[str, Any], extend: Callable[[str], Mapping[str, Any]] | None = None, depth: int = 0
) -> GitleaksConfig:
    """The configuration in the tables `values`; `extend` reads those of a file that it builds on. Raises BadGitleaksConfig."""
    extension = _table(values.get("extend", {}), "extend")
    base = _base(extension, extend, depth)
    entries = {name: dict(entry) for name, entry in (base.entries or {}).items()}
    for entry in _tables(values.get("rules", []), "rules"):
        name = _text(entry.get("id"), "a rule's id")
        if not is_rule_id(name):
            raise BadGitleaksConfig("a rule's id has up to 200 characters, which are all seen")
        entries[name] = merged(entries.get(name, {}), entry, f"rule {name}")
    rules: list[Rule] = []
    paths: dict[str, str] = {}
    left_out: list[str] = []
    lists = [*base.allowlists, *_allowlists(values, "the configuration")]
    disabled = frozenset(_texts(extension.get("disabledRules", []), "extend: disabledRules")) | base.disabled
    own: list[Allowlist] = []
    for name, entry in entries.items():
        place = f"rule {name}"
        about = tuple(replace(one, rules=_meant_by(name)) for one in _allowlists(entry, place))
        own += about
        if path := _text(entry.get("path", ""), f"{place}: path"):
            paths[name] = _pattern(path, f"{place}: path")
        if not entry.get("regex"):
            left_out.append(name)
        elif name not in disabled:
            rules.append(_rule(entry, name, tuple(one for one in about if _is_about_values(one))))
    uses_default = extension.get("useDefault") is True or base.uses_default
    return GitleaksConfig(
        tuple(rules), paths, tuple(lists), uses_default, disabled, tuple(left_out), tuple(own), entries
    )


def merged(base: Mapping[str, Any], entry: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A rule as `entry` changes it that builds on `base`: lists grow, the rest is replaced where it says something."""
    made = {**base, **{key: value for key, value in entry.items() if value not in ("", 0, [])}}
    words = [_texts(one.get("keywords", []), f"{place}: keywords") for one in (base, entry)]
    if keywords := (*words[0], *words[1]):
        made["keywords"] = list(keywords)
    made.pop("allowlist", None)
    made["allowlists"] = [table for one in (base, entry) for table in _allowlist_tables(one, place)]
    return made


def _meant_by(name: str) -> frozenset[str]:
    """The rules that a list is for which stands at rule `name`: those of ours, too, that find what gitleaks' rule for whatever looks like a key finds."""
    if name != _ANY_KEY:
        return frozenset({name})
    from strongroom.scanner.generic.catalogue import GENERIC_RULES
    from strongroom.scanner.rules.assigned_keys import RULES

    return frozenset({name, *(rule.id for rule in (*GENERIC_RULES, *RULES))})


def _base(
    extension: Mapping[str, Any], extend: Callable[[str], Mapping[str, Any]] | None, depth: int
) -> GitleaksConfig:
    path = _text(extension.get("path", ""), "extend: path")
    if not path:
        return GitleaksConfig()
    if depth >= MOST_EXTENSIONS or extend is None:
        raise BadGitleaksConfig(f"extend: files may build on each other {MOST_EXTENSIONS} times at most")
    return parse_gitleaks(extend(path), extend, depth + 1)


def _rule(entry: Mapping[str, Any], name: str, lists: tuple[Allowlist, ...]) -> Rule:
    place = f"rule {name}"
    group = entry.get("secretGroup", 0)
    if not isinstance(group, int) or isinstance(group, bool) or group < 0:
        raise BadGitleaksConfig(f"{place}: secretGroup is a number")
    entropy = entry.get("entropy", 0.0)
    if not isinstance(entropy, (int, float)) or isinstance(entropy, bool):
        raise BadGitleaksConfig(f"{place}: entropy is a number")
    pattern = with_secret(_text(entry["regex"], f"{place}: regex"), group, place)
    return Rule(
        id=name,
        title=_text(entry.get("description", ""), f"{place}: description") or name,
        pattern=_pattern(pattern, place),
        keywords=tuple(word.lower() for word in _texts(entry.get("keywords", []), f"{place}: keywords")),
        severity=Severity.HIGH,
        reach=REACH,
        entropy=float(entropy),
        plausible=NotAllowed(name, lists) if lists else None,
    )


def with_secret(pattern: str, group: int, place: str) -> str:
    """`pattern` with the name `secret` on one of its groups: number `group`, or, for 0, the first if it is in every match."""
    groups, depth, has_choice = [], 0, False
    for mark in _GROUP.finditer(pattern):
        text = mark[0]
        if (text.startswith("(") and text != "(") or (text == "(" and not pattern.startswith("(?", mark.start())):
            groups.append((mark.start(), mark.end(), depth))
        depth += text.startswith("(") - (text == ")")
        has_choice = has_choice or (text == "|" and depth == 0)
    if group > len(groups):
        raise BadGitleaksConfig(f"{place}: secretGroup is {group}, and its regex has {len(groups)} groups")
    if not groups or (group == 0 and (has_choice or groups[0][2] > 0)):
        return pattern
    start, end, _ = groups[max(group, 1) - 1]
    if pattern[start:end] != "(":
        end = pattern.index(">", end) + 1
    return f"{pattern[:start]}(?P<secret>{pattern[end:]}"


def _is_about_values(one: Allowlist) -> bool:
    has_other = bool(one.paths or one.commits) or (bool(one.regexes) and one.target != "secret")
    return bool(one.regexes or one.stopwords) and not has_other


def _allowlists(values: Mapping[str, Any], place: str) -> tuple[Allowlist, ...]:
    """The lists of a table: `allowlists`, or the single `allowlist` of older files."""
    return tuple(_allowlist(table, place) for table in _allowlist_tables(values, place))


def _allowlist_tables(values: Mapping[str, Any], place: str) -> list[Mapping[str, Any]]:
    old = values.get("allowlist")
    tables = [old] if isinstance(old, dict) else old or []
    return [*_tables(tables, place), *_tables(values.get("allowlists", []), place)]


def _allowlist(table: Mapping[str, Any], place: str) -> Allowlist:
    target = table.get("regexTarget", "")
    if target not in _TARGETS:
        raise BadGitleaksConfig(f"{place}: regexTarget is secret, match or line")
    condition = str(table.get("condition", "OR")).upper()
    if condition not in {"OR", "AND", "||", "&&"}:
        raise BadGitleaksConfig(f"{place}: the condition of an allow list is OR or AND")
    lists = {key: _texts(table.get(key, []), f"{place}: {key}") for key in ("paths", "regexes", "stopwords", "commits")}
    return Allowlist(
        tuple(_pattern(pattern, place) for pattern in lists["paths"]),
        tuple(_pattern(pattern, place) for pattern in lists["regexes"]),
        _TARGETS[target],
        lists["stopwords"],
        frozenset(lists["commits"]),
        condition in {"AND", "&&"},
        frozenset().union(*map(_meant_by, _texts(table.get("targetRules", []), f"{place}: targetRules"))),
    )


def _pattern(pattern: str, place: str) -> str:
    try:
        compile_regex(pattern)
    except BadPattern as error:
        raise BadGitleaksConfig(f"{place}: a pattern is not one of RE2's syntax: {error}") from None
    return pattern


def _table(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadGitleaksConfig(f"{place} is a table")
    return value


def _tables(values: object, place: str) -> list[Mapping[str, Any]]:
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise BadGitleaksConfig(f"{place}: a list of tables is expected")
    return values


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise BadGitleaksConfig(f"{place} is a text")
    return value


def _texts(values: object, place: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadGitleaksConfig(f"{place} is a list of texts")
    return tuple(values)
