"""``printf``: the verbs of Go's that write texts and numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from strongroom.agent.template.values import WrongKind, number, printed, text, whole

_VERB = re.compile(r"%([-+ 0#]{0,4})([0-9]{0,4})(?:\.([0-9]{0,4}))?(.?)", re.DOTALL)
_WIDTH_MAX = 1000


def formatted(pattern: str, values: Sequence[Any]) -> str:
    """``pattern`` with each verb replaced by its value. Raises WrongKind, also where values are left over."""
    left = iter(values)
    written = _VERB.sub(lambda match: _one(match, left), pattern)
    if next(left, _NOTHING) is not _NOTHING:
        raise WrongKind("as many values as verbs")
    return written


_NOTHING = object()


def _one(match: re.Match[str], values: Iterator[Any]) -> str:
    flags, width, precision, verb = match.groups()
    if verb == "%":
        return "%"
    if int(width or 0) > _WIDTH_MAX or int(precision or 0) > _WIDTH_MAX:
        raise WrongKind(f"a width of at most {_WIDTH_MAX}")
    value = next(values, _NOTHING)
    if value is _NOTHING:
        raise WrongKind("as many values as verbs")
    return _padded(_written(verb, value, flags, precision), flags, int(width or 0), verb)


def _written(verb: str, value: Any, flags: str, precision: str | None) -> str:
    if verb in {"s", "v"}:
        shown = printed(value)
        return shown if precision is None or verb == "v" else shown[: int(precision or 0)]
    if verb == "q":
        return json.dumps(text(value), ensure_ascii=False)
    if verb == "d":
        return ("+" if "+" in flags and whole(value) >= 0 else "") + str(whole(value))
    if verb == "t" and isinstance(value, bool):
        return printed(value)
    if verb in {"x", "X"}:
        plain = format(value, "x") if isinstance(value, int) else text(value).encode().hex()
        return plain.upper() if verb == "X" else plain
    if verb in {"f", "e", "g"}:
        return format(
            float(number(value)),
            ("+" if "+" in flags else "") + f".{int(precision or 0) if precision is not None else 6}{verb}",
        )
    raise WrongKind("one of the verbs %s %v %q %d %t %x %X %f %e %g %% with a value that goes with it")


def _padded(written: str, flags: str, width: int, verb: str) -> str:
    if "-" in flags:
        return written.ljust(width)
    if "0" in flags and verb in {"d", "x", "X", "f", "e", "g"}:
        return written.zfill(width)
    return written.rjust(width)
