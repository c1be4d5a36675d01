"""What a rule demands of a request beyond its capability: parameters, wrapping TTLs, the length of lists.

Restrictions of the same path in several policies are merged as Vault merges them: parameter lists are joined and an empty one
swallows the others, required parameters add up, and of limits and TTLs the lowest that is set wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from strongroom.policy.rule import PathRule

Parameters = Mapping[str, tuple[Any, ...]]

LIMIT = "limit"
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """The restrictions of one path. Zero and empty mean none; parameter names are in lower case."""

    allowed: Parameters | None = None
    denied: Parameters | None = None
    required: tuple[str, ...] = ()
    min_wrapping_ttl: int = 0
    max_wrapping_ttl: int = 0
    pagination_limit: int = 0

    def permit_wrapping(self, wrap_ttl: int | None) -> bool:
        """Whether the answer may be wrapped for ``wrap_ttl`` seconds, or stay unwrapped where that is None."""
        if self.min_wrapping_ttl and (wrap_ttl is None or wrap_ttl < self.min_wrapping_ttl):
            return False
        return not self.max_wrapping_ttl or (wrap_ttl is not None and wrap_ttl <= self.max_wrapping_ttl)

    def permit_body(self, body: Mapping[str, Any]) -> bool:
        """Whether a write with this body, or a read with these query parameters, is within the parameter rules."""
        if any(name not in body for name in self.required):
            return False
        if self.denied and body:
            if _ANY in self.denied:
                return False
            for name, value in body.items():
                values = self.denied.get(name.lower())
                if values is not None and _is_denied(value, values):
                    return False
        if not self.allowed:
            return True
        others = _ANY in self.allowed
        for name, value in body.items():
            values = self.allowed.get(name.lower())
            if not others if values is None else not _is_allowed(value, values):
                return False
        return True

    def list_limit(self, body: Mapping[str, Any]) -> int | None:
        """How many keys a list may answer at most; None where it may not be answered at all.

        A limit that asks for more than the rule allows is refused and not shortened, so that no client takes a part for the
        whole; without one, or with ``0`` or ``max``, the client gets what the rule allows.
        """
        asked = body.get(LIMIT)
        if asked is None:
            return None if LIMIT in self.required else self.pagination_limit
        if asked == "max":
            return self.pagination_limit
        limit = _whole(asked)
        if limit is None or limit > self.pagination_limit:
            return None
        return limit or self.pagination_limit


class ConstraintsBuilder:
    """Merges the restrictions of rules of the same path, in time linear in their size."""

    def __init__(self) -> None:
        self._allowed: dict[str, list[Any]] | None = None
        self._denied: dict[str, list[Any]] | None = None
        self._required: dict[str, None] = {}
        self._limits = {"min_wrapping_ttl": 0, "max_wrapping_ttl": 0, "pagination_limit": 0}

    def add(self, rule: PathRule) -> None:
        """Take the restrictions of ``rule`` in."""
        if rule.allowed_parameters:
            self._allowed = _joined(self._allowed, rule.allowed_parameters)
        if rule.denied_parameters:
            self._denied = _joined(self._denied, rule.denied_parameters)
        self._required.update(dict.fromkeys(rule.required_parameters))
        for name, lowest in self._limits.items():
            limit: int = getattr(rule, name)
            if limit and (not lowest or limit < lowest):
                self._limits[name] = limit

    def build(self) -> Constraints | None:
        """The merged restrictions, or None where there are none."""
        if not (self._allowed or self._denied or self._required or any(self._limits.values())):
            return None
        return Constraints(
            allowed=_frozen(self._allowed),
            denied=_frozen(self._denied),
            required=tuple(self._required),
            **self._limits,
        )


def _joined(known: dict[str, list[Any]] | None, added: Parameters) -> dict[str, list[Any]]:
    known = {} if known is None else known
    for name, values in added.items():
        present = known.get(name)
        if not values or present == []:
            known[name] = []
        elif present is None:
            known[name] = list(values)
        else:
            present.extend(values)
    return known


def _frozen(parameters: dict[str, list[Any]] | None) -> Parameters | None:
    return None if parameters is None else {name: tuple(values) for name, values in parameters.items()}


def _is_allowed(value: Any, values: tuple[Any, ...]) -> bool:
    return not values or any(_matches(pattern, value) for pattern in values)


def _is_denied(value: Any, values: tuple[Any, ...]) -> bool:
    """Like :func:`_is_allowed`, but a denied value is recognised in the other forms that endpoints take too.

    ``5`` is ``"5"``, ``true`` is ``"true"`` and ``"1"``, ``admin`` is ``Admin`` and may have spaces around it, and each may stand
    in a list or in a text with commas, which is read as a list. Where an endpoint tells them apart, more is denied than need be.
    """
    if not values:
        return True
    forms = _forms(value)
    return any(
        pattern == _ANY or any(_matches(spelled, form) for spelled in (pattern, _folded(pattern)))
        for pattern in values
        for form in forms
    )


def _forms(value: Any) -> list[Any]:
    parts: list[Any] = []
    if isinstance(value, str) and "," in value:
        parts = value.split(",")
    elif isinstance(value, list | tuple):
        parts = list(value)
    return [spelled for part in (value, *parts) for spelled in _spellings(part)]


def _spellings(value: Any) -> list[Any]:
    """``value`` in every form in which a pattern may have it."""
    folded = _folded(value)
    return [value, folded, *(truth for truth, words in _TRUTHS.items() if isinstance(folded, str) and folded in words)]


# What endpoints read as a yes or a no.
_TRUTHS = {"true": frozenset({"t", "1"}), "false": frozenset({"f", "0"})}


def _folded(value: Any) -> Any:
    text = _as_text(value)
    return text.strip().casefold() if isinstance(text, str) else text


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | Decimal) else value


def _matches(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, str) and isinstance(value, str):
        return _glob_matches(pattern, value)
    if isinstance(pattern, list | tuple) and isinstance(value, list | tuple):
        return len(pattern) == len(value) and all(map(_equals, pattern, value))
    return _equals(pattern, value)


def _equals(left: Any, right: Any) -> bool:
    # Python takes True for 1; JSON does not.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_equals, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equals(left[key], right[key]) for key in left)
    return bool(left == right)


def _glob_matches(pattern: str, text: str) -> bool:
    """Vault's rule: a ``*`` at either end stands for anything, and nowhere else; ``*`` alone is itself."""
    if len(pattern) < 2:
        return pattern == text
    if pattern[0] == "*" and pattern[-1] == "*":
        return pattern[1:-1] in text
    if pattern[0] == "*":
        return text.endswith(pattern[1:])
    if pattern[-1] == "*":
        return text.startswith(pattern[:-1])
    return pattern == text


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18 and str(int(value)) == value:
        return int(value)
    return None
