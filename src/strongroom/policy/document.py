"""Policies as text: HCL or its JSON form in, rules out, and back.

Everything is checked when a policy is written, because a policy that means something else than its author thinks is worse than
one that is refused: an unknown key or capability, a wrong type, a duplicate, and what this server cannot enforce are errors
with a line, a column and what was expected. Texts of errors never quote the policy.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from strongroom.encoding.hcl import Block, Body, HclError, Items, Table, parse
from strongroom.encoding.json import encode
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import parse_duration, parse_rfc3339, rfc3339
from strongroom.logical.path import PATH_BYTES_MAX
from strongroom.policy.rule import CAPABILITY_BITS, DENY, PathRule, PolicyDocument
from strongroom.policy.templating import check_templates

Position = tuple[int, int]

_TOP_LEVEL = ("path", "name")
_LEGACY = {
    "deny": (DENY,),
    "read": ("read", "list"),
    "write": ("create", "read", "update", "delete", "list"),
    "sudo": ("create", "read", "update", "delete", "list", "sudo"),
}
_REFUSED_CAPABILITIES = ("recover", "subscribe")
_REFUSED_KEYS = {
    "control_group": "control groups are not supported, so this rule could not be enforced; remove it",
    "mfa_methods": "mfa_methods is not supported, so this rule could not be enforced; remove it",
    "subscribe_event_types": "event subscriptions are not supported; remove it",
    "list_scan_response_keys_filter_path": "filtering of list answers is not supported, so this rule could not be enforced; "
    "remove it and grant list only where every name may be seen",
}
_WORD_CHARACTERS_MAX = 64


def parse_policy(text: str) -> PolicyDocument:
    """The rules that ``text`` says. Raises InvalidRequest with line, column and what was expected."""
    try:
        body = parse(text)
        _check_top_level(body)
        return PolicyDocument(tuple(_rule(block) for block in body.sections("path", 1)))
    except HclError as error:
        raise InvalidRequest(f"failed to parse policy: {error}") from None


def format_policy(document: PolicyDocument) -> str:
    """``document`` as HCL. Parsing it again gives an equal document."""
    return "\n".join(_format_rule(rule) for rule in document.rules)


def _check_top_level(body: Body) -> None:
    names = [(each.name, each.line, each.column) for each in body.attributes]
    names += [(each.type, each.line, each.column) for each in body.blocks]
    for name, line, column in names:
        if name not in _TOP_LEVEL:
            raise HclError(line, column, f"unknown key in a policy{_nearest(name, _TOP_LEVEL)}")


def _rule(block: Block) -> PathRule:
    here = (block.line, block.column)
    path = _path(block.labels[0], here)
    known: dict[str, Any] = {}
    capabilities: set[str] = set()
    seen: set[str] = set()
    for name, value, position in _members(block.body):
        if name in seen:
            raise HclError(*position, "this key stands twice here; keep one of them")
        seen.add(name)
        if name in {"capabilities", "policy"}:
            capabilities |= _READERS[name](value, position)
        elif name in _READERS:
            known["expiration_ns" if name == "expiration" else name] = _READERS[name](value, position)
        else:
            raise HclError(
                *position, _REFUSED_KEYS.get(name) or f"unknown key in a path rule{_nearest(name, _READERS)}"
            )
    minimum, maximum = known.get("min_wrapping_ttl", 0), known.get("max_wrapping_ttl", 0)
    if minimum and maximum and maximum < minimum:
        raise HclError(*here, "max_wrapping_ttl cannot be less than min_wrapping_ttl")
    granted = frozenset({DENY} if DENY in capabilities else capabilities)
    return PathRule(path=path, capabilities=granted, **known)


def _members(body: Body) -> list[tuple[str, Any, Position]]:
    # Older policies write allowed_parameters { ... } as a block, which means the same as the attribute.
    members = [(each.name, each.value, (each.line, each.column)) for each in body.attributes]
    for block in body.blocks:
        if block.type in _REFUSED_KEYS:
            raise HclError(block.line, block.column, _REFUSED_KEYS[block.type])
        if block.labels:
            raise HclError(block.line, block.column, "expected a key and its value here, not a block with labels")
        members.append((block.type, block.body.table(), (block.line, block.column)))
    return members


def _path(label: str, position: Position) -> str:
    path = label.removeprefix("/")
    if path == "":
        raise HclError(*position, 'expected a path, as in path "secret/*"')
    if len(path.encode()) > PATH_BYTES_MAX:
        raise HclError(*position, f"expected a path of at most {PATH_BYTES_MAX} bytes")
    if any(character < " " or character == "\x7f" for character in path):
        raise HclError(*position, "expected a path without control characters")
    if "+*" in path:
        raise HclError(*position, "expected '+' to be a whole segment: '+*' is forbidden")
    try:
        check_templates(path)
    except ValueError as error:
        raise HclError(*position, str(error)) from None
    return path


def _capabilities(value: Any, position: Position) -> set[str]:
    for word, at in _texts(value, position):
        if word in _REFUSED_CAPABILITIES:
            raise HclError(*at, "this capability belongs to features that are not supported; remove it")
        if word not in CAPABILITY_BITS:
            raise HclError(*at, f"unknown capability{_nearest(word, CAPABILITY_BITS)}")
    return {word for word, _ in _texts(value, position)}


def _legacy(value: Any, position: Position) -> set[str]:
    if not isinstance(value, str) or value not in _LEGACY:
        near = _nearest(value if isinstance(value, str) else "", _LEGACY)
        raise HclError(*position, f"unknown policy; expected one of {', '.join(_LEGACY)}{near}")
    return set(_LEGACY[value])


def _parameters(value: Any, position: Position) -> Mapping[str, tuple[Any, ...]]:
    if not isinstance(value, Table):
        raise HclError(*position, 'expected an object of lists, as in { "name" = ["value"], "other" = [] }')
    parameters: dict[str, tuple[Any, ...]] = {}
    for name, values in value.items():
        at = value.positions[name]
        if not isinstance(values, Items):
            raise HclError(*at, "expected a list of values; [] stands for any value")
        if name.lower() in parameters:
            raise HclError(*at, "this parameter stands twice: names are the same in capitals and small letters")
        if name == "*" and values:
            raise HclError(*at, 'expected [] for the parameter "*"')
        parameters[name.lower()] = tuple(values)
    return parameters


def _texts(value: Any, position: Position) -> list[tuple[str, Position]]:
    if not isinstance(value, Items):
        raise HclError(*position, 'expected a list of texts, as in ["first", "second"]')
    for element, at in zip(value, value.positions, strict=True):
        if not isinstance(element, str):
            raise HclError(*at, "expected a text in quotes")
    return list(zip(value, value.positions, strict=True))


def _required(value: Any, position: Position) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.lower() for text, _ in _texts(value, position)))


def _wrapping_ttl(value: Any, position: Position) -> int:
    text = value if isinstance(value, str) else str(_whole(value, position))
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise HclError(*position, str(error)) from None
    if seconds < 0:
        raise HclError(*position, "expected a duration that is not negative")
    return seconds


def _whole(value: Any, position: Position) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise HclError(*position, "expected a whole number")
    return value


def _pagination_limit(value: Any, position: Position) -> int:
    limit = _whole(value, position)
    if limit < 1:
        raise HclError(*position, "expected a whole number of at least 1")
    return limit


def _expiration(value: Any, position: Position) -> int:
    try:
        return max(0, parse_rfc3339(value if isinstance(value, str) else ""))
    except (ValueError, OverflowError):
        raise HclError(*position, "expected a time like 2006-01-02T15:04:05Z") from None


def _comment(value: Any, position: Position) -> str:
    if not isinstance(value, str):
        raise HclError(*position, "expected a text in quotes")
    return value


_READERS: Mapping[str, Callable[[Any, Position], Any]] = {
    "capabilities": _capabilities,
    "policy": _legacy,
    "allowed_parameters": _parameters,
    "denied_parameters": _parameters,
    "required_parameters": _required,
    "min_wrapping_ttl": _wrapping_ttl,
    "max_wrapping_ttl": _wrapping_ttl,
    "pagination_limit": _pagination_limit,
    "expiration": _expiration,
    "comment": _comment,
}


def _nearest(word: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(word.lower(), known, 1) if len(word) <= _WORD_CHARACTERS_MAX else []
    return f'; did you mean "{near[0]}"?' if near else f"; expected one of {', '.join(known)}"


def _format_rule(rule: PathRule) -> str:
    lines = [f"path {_quoted(rule.path)} {{", f"  capabilities = {_json(sorted(rule.capabilities))}"]
    lines += [f"  comment = {_quoted(rule.comment)}"] if rule.comment else []
    for name in ("allowed_parameters", "denied_parameters"):
        parameters = getattr(rule, name)
        if parameters is not None:
            lines += [
                f"  {name} = {{",
                *(f"    {_quoted(key)} = {_json(each)}" for key, each in parameters.items()),
                "  }",
            ]
    if rule.required_parameters:
        lines.append(f"  required_parameters = {_json(rule.required_parameters)}")
    lines += [
        f"  {name} = {getattr(rule, name)}"
        for name in ("min_wrapping_ttl", "max_wrapping_ttl", "pagination_limit")
        if getattr(rule, name)
    ]
    if rule.expiration_ns is not None:
        lines.append(f'  expiration = "{rfc3339(rule.expiration_ns)}"')
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return _json(text)


def _json(value: Any) -> str:
    # DEL is the one character that JSON writes plainly and our reader wants escaped.
    return encode(value).decode().replace("\x7f", "\\u007f")
