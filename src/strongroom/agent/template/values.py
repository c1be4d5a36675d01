"""Values as templates see them: what counts as true, how one is printed, how it becomes JSON. As in Go, where both have it.

Numbers keep the digits that the server sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strongroom.client import exact_json
from strongroom.client.exact_json import ExactFloat

NO_VALUE = "<no value>"
_DEPTH_MAX = 60


class Record(dict[str, Any]):
    """Something with a fixed set of fields, like the answer with a secret. A field that it does not have is a mistake."""

    def __repr__(self) -> str:
        return f"Record({', '.join(self)})"


class WrongKind(ValueError):
    """A value is of another kind than was needed. The text completes "expected ..."; it shows no value."""


def is_true(value: Any) -> bool:
    """Whether a condition holds: anything but false, 0, nil and what is empty."""
    return bool(value)


def printed(value: Any, depth: int = 0) -> str:
    """``value`` as it is written where nothing says otherwise."""
    if depth > _DEPTH_MAX:
        raise WrongKind("a value that is nested less deep")
    if isinstance(value, str):
        return value
    if value is None:
        return NO_VALUE if depth == 0 else "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ExactFloat):
        return value.text
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{printed(value[key], depth + 1)}" for key in sorted(value)) + "]"
    return "[" + " ".join(printed(item, depth + 1) for item in value) + "]"


def as_json(value: Any, *, pretty: bool = False, escaped: bool = True) -> str:
    """``value`` as JSON with its keys in order. ``escaped`` writes ``<``, ``>`` and ``&`` as Go does, safe within HTML."""
    text = exact_json.encode(value, indent=2 if pretty else None, sort_keys=True)
    if escaped:
        text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text


def text(value: Any) -> str:
    """``value``, which must be a text or a number. Raises WrongKind."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return printed(value)
    raise WrongKind("a text")


def whole(value: Any) -> int:
    """``value``, which must be a whole number or its text. Raises WrongKind."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if (
        isinstance(value, str)
        and len(value) <= 19
        and value.removeprefix("-").isascii()
        and value.removeprefix("-").isdigit()
    ):
        return int(value)
    raise WrongKind("a whole number")


def number(value: Any) -> int | float:
    """``value``, which must be a number. Raises WrongKind."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise WrongKind("a number")


def items(value: Any) -> Sequence[Any]:
    """``value``, which must be a list. Raises WrongKind."""
    if isinstance(value, list | tuple):
        return value
    raise WrongKind("a list")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 4096 else "a number without end"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
