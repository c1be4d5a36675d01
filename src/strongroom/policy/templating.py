"""Identity templates in the paths of rules: ``secret/data/{{identity.entity.id}}/*``.

A value is data and never syntax: one that could change the meaning of a path makes the rendering fail, as do an unknown
identity and a missing value. A failed rendering of any rule fails the whole policy closed (SECURITY INV-5, rows 4 and 5):

- it grants nothing: its rules keep their place and their restrictions but lose their capabilities;
- its denies stay; a deny that could not be rendered bars everything below the literal text before its template.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from strongroom.policy.rule import PathRule, PolicyDocument

KNOWN_TEMPLATES = (
    "identity.entity.id, .name, .metadata.KEY, .aliases.ACCESSOR.id|name|metadata.KEY|custom_metadata.KEY, "
    "identity.groups.ids.ID.id|name|metadata.KEY and identity.groups.names.NAME.id|name|metadata.KEY"
)
_FORBIDDEN = frozenset("/*+,")


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasView:
    """One alias of an entity, as templates may see it."""

    id: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    custom_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """One group that the entity belongs to, directly or not."""

    id: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    """Who a token belongs to, as templates may see it. ``aliases`` are keyed by the accessor of their mount."""

    id: str
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, AliasView] = field(default_factory=dict)
    groups: tuple[GroupView, ...] = ()


class _NoValueError(Exception):
    """A template has no value that may stand in a path."""


def check_templates(path: str) -> None:
    """Raise ValueError, saying what was expected, where ``path`` holds a malformed or unknown template."""
    for index, part in enumerate(_split(path)):
        if index % 2 and not _is_known(part):
            raise ValueError(f"unknown template; known are {KNOWN_TEMPLATES}")


def render(document: PolicyDocument, identity: IdentityView | None) -> PolicyDocument:
    """``document`` with the values of ``identity`` in its paths, or what stays of it when that fails. Never raises."""
    if not document.is_templated:
        return document
    rendered: list[PathRule | None] = []
    for rule in document.rules:
        try:
            rendered.append(replace(rule, path=_fill(rule.path, identity)) if rule.is_templated else rule)
        except (_NoValueError, ValueError):
            rendered.append(None)
    if None not in rendered:
        return PolicyDocument(tuple(rule for rule in rendered if rule is not None), document.barred)
    return _closed(document, rendered)


def _closed(document: PolicyDocument, rendered: list[PathRule | None]) -> PolicyDocument:
    kept = [
        rule if rule.denies else replace(rule, capabilities=frozenset())
        for rule, original in zip(rendered, document.rules, strict=True)
        if rule is not None and (rule.denies or not original.is_templated)
    ]
    barred = [
        _literal_start(original.path)
        for rule, original in zip(rendered, document.rules, strict=True)
        if rule is None and original.denies
    ]
    return PolicyDocument(tuple(kept), (*document.barred, *barred))


def _literal_start(path: str) -> str:
    literal = path.partition("{{")[0]
    segments = literal.split("/")
    if "+" not in segments:
        return literal
    return "".join(f"{segment}/" for segment in segments[: segments.index("+")])


def _split(path: str) -> list[str]:
    """Literal text and selectors by turns, beginning and ending with literal text."""
    first, *rest = path.split("{{")
    parts = [first]
    for piece in rest:
        selector, closing, literal = piece.partition("}}")
        if not closing:
            raise ValueError("expected '}}' after '{{'")
        parts += [selector.strip(), literal]
    if any("}}" in literal for literal in parts[::2]):
        raise ValueError("expected '{{' before '}}'")
    return parts


def _fill(path: str, identity: IdentityView | None) -> str:
    if identity is None:
        raise _NoValueError
    return "".join(_safe(_value(part, identity)) if index % 2 else part for index, part in enumerate(_split(path)))


def _safe(value: str) -> str:
    if value in {"", ".", ".."} or not _FORBIDDEN.isdisjoint(value):
        raise _NoValueError
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in value):
        raise _NoValueError
    return value


def _is_known(selector: str) -> bool:
    head, _, rest = selector.partition(".")
    kind, _, rest = rest.partition(".")
    if head != "identity":
        return False
    if kind == "groups":
        by, _, rest = rest.partition(".")
        name, _, attribute = rest.partition(".")
        return by in {"ids", "names"} and name != "" and _is_attribute(attribute, ("metadata",))
    if kind == "entity" and rest.startswith("aliases."):
        accessor, _, attribute = rest.removeprefix("aliases.").partition(".")
        return accessor != "" and _is_attribute(attribute, ("metadata", "custom_metadata"))
    return kind == "entity" and _is_attribute(rest, ("metadata",))


def _is_attribute(attribute: str, maps: tuple[str, ...]) -> bool:
    name, _, key = attribute.partition(".")
    return attribute in {"id", "name"} or (name in maps and key != "")


def _value(selector: str, identity: IdentityView) -> str:
    if not _is_known(selector):
        raise _NoValueError
    _, kind, rest = selector.split(".", 2)
    if kind == "groups":
        by, name, attribute = rest.split(".", 2)
        for group in identity.groups:
            if name == (group.id if by == "ids" else group.name):
                return _attribute(group, attribute)
        raise _NoValueError
    if rest.startswith("aliases."):
        _, accessor, attribute = rest.split(".", 2)
        alias = identity.aliases.get(accessor)
        if alias is None:
            raise _NoValueError
        return _attribute(alias, attribute)
    return _attribute(identity, rest)


def _attribute(holder: IdentityView | AliasView | GroupView, attribute: str) -> str:
    if attribute == "id":
        return holder.id
    if attribute == "name":
        return holder.name
    name, key = attribute.split(".", 1)
    if name == "metadata":
        return holder.metadata.get(key, "")
    return holder.custom_metadata.get(key, "") if isinstance(holder, AliasView) else ""
