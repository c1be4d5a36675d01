"""The functions that a template may call, apart from those that ask the server: pure, and bounded in what they give out.

Every function gets its arguments as they are, the piped one last, and raises WrongKind for what it cannot take.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from strongroom.agent.template.printf import formatted
from strongroom.agent.template.values import WrongKind, as_json, is_true, items, number, printed, text, whole
from strongroom.client import exact_json
from strongroom.client.http1 import quote

RESULT_CHARACTERS_MAX = 4 * 1024 * 1024
LOOP_MAX = 10_000
_INDENT_MAX = 1000
_NUMBER_CHARACTERS_MAX = 64

Function = Callable[..., Any]


def _base64_decode(value: Any) -> str:
    return _decoded(text(value), b"+/")


def _base64_url_decode(value: Any) -> str:
    return _decoded(text(value), b"-_")


def _decoded(encoded: str, alphabet: bytes) -> str:
    padded = encoded + "=" * (-len(encoded) % 4) if alphabet == b"-_" else encoded
    try:
        return base64.b64decode(padded.encode("ascii"), alphabet, validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise WrongKind("base64 of a text in UTF-8") from None


def _indent(count: Any, value: Any) -> str:
    spaces = whole(count)
    if not 0 <= spaces <= _INDENT_MAX:
        raise WrongKind(f"from 0 to {_INDENT_MAX} spaces")
    lines = text(value).split("\n")
    bounded(len(text(value)) + spaces * len(lines))
    return "\n".join(" " * spaces + line if line else line for line in lines)


def _replace_all(old: Any, new: Any, value: Any) -> str:
    source, before, after = text(value), text(old), text(new)
    bounded(len(source) + (source.count(before) if before else len(source) + 1) * len(after))
    return source.replace(before, after)


def _join(separator: Any, value: Any) -> str:
    parts = [text(item) for item in items(value)]
    bounded(sum(map(len, parts)) + len(text(separator)) * len(parts))
    return text(separator).join(parts)


def _split(separator: Any, value: Any) -> list[str]:
    if not text(value).strip():
        return []
    if not text(separator):
        raise WrongKind("a separator that is not empty")
    return text(value).strip().split(text(separator))


def _contains(wanted: Any, value: Any) -> bool:
    if isinstance(value, str):
        return text(wanted) in value
    if isinstance(value, Mapping):
        return wanted in value
    return any(_equal_pair(item, wanted) for item in items(value))


def _parse_json(value: Any) -> Any:
    if not text(value):
        return {}
    try:
        return exact_json.decode(text(value))
    except ValueError:
        raise WrongKind("a text in JSON") from None


def _parse_bool(value: Any) -> bool:
    known = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False, "": False}
    found = known.get(text(value).lower())
    if found is None:
        raise WrongKind("true or false")
    return found


def _parse_float(value: Any) -> float:
    written = text(value) or "0"
    if len(written) > _NUMBER_CHARACTERS_MAX:
        raise WrongKind(f"a number of at most {_NUMBER_CHARACTERS_MAX} characters")
    try:
        found = json.loads(written)
    except ValueError:
        raise WrongKind("a number") from None
    return float(number(found))


def _parse_int(value: Any) -> int:
    return whole(text(value) or "0")


def _parse_uint(value: Any) -> int:
    found = _parse_int(value)
    if found < 0:
        raise WrongKind("a number that is not below zero")
    return found


def _divide(by: Any, value: Any) -> int | float:
    divisor, dividend = number(by), number(value)
    if divisor == 0:
        raise WrongKind("something else than 0 to divide by")
    if isinstance(divisor, int) and isinstance(dividend, int):
        # Towards zero, as Go does.
        quotient = abs(dividend) // abs(divisor)
        return quotient if (dividend < 0) == (divisor < 0) else -quotient
    return dividend / divisor


def _modulo(by: Any, value: Any) -> int:
    divisor, dividend = whole(by), whole(value)
    if divisor == 0:
        raise WrongKind("something else than 0 to divide by")
    rest = abs(dividend) % abs(divisor)
    return rest if dividend >= 0 else -rest


def _in_bounds(value: float) -> float:
    if abs(value) >= 1 << 63:
        raise WrongKind("numbers whose result has 64 bits at most")
    return value


def _loop(*bounds: Any) -> list[int]:
    if not 1 <= len(bounds) <= 2:
        raise WrongKind("one or two numbers")
    start, end = (0, whole(bounds[0])) if len(bounds) == 1 else (whole(bounds[0]), whole(bounds[1]))
    if end - start > LOOP_MAX:
        raise WrongKind(f"a loop of at most {LOOP_MAX:,} rounds")
    return list(range(start, end))


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        return len(value)
    return len(items(value))


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(text(key))
            continue
        at = whole(key)
        found = items(value)
        if not 0 <= at < len(found):
            raise WrongKind(f"an index below {len(found)}")
        value = found[at]
    return value


def _slice(value: Any, *bounds: Any) -> Any:
    found = value if isinstance(value, str) else items(value)
    start, end = ([whole(bound) for bound in bounds] + [len(found)] * 2)[:2] if bounds else (0, len(found))
    if len(bounds) > 2 or not 0 <= start <= end <= len(found):
        raise WrongKind(f"bounds from 0 to {len(found)}")
    return found[start:end]


def _equal_pair(one: Any, other: Any) -> bool:
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, str) and isinstance(other, int | float):
        return one == printed(other)
    if isinstance(one, int | float) and isinstance(other, str):
        return printed(one) == other
    return bool(one == other)


def _equal(value: Any, *others: Any) -> bool:
    if not others:
        raise WrongKind("two values to compare")
    return any(_equal_pair(value, other) for other in others)


def _less(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one < other
    return number(one) < number(other)


def _html(*values: Any) -> str:
    escapes = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", '"': "&#34;", "\0": "\ufffd"}
    return "".join(escapes.get(letter, letter) for letter in "".join(printed(value) for value in values))


def bounded(characters: int) -> None:
    """Whether a text of so many characters may be made. Raises WrongKind."""
    if characters > RESULT_CHARACTERS_MAX:
        raise WrongKind(f"a result of at most {RESULT_CHARACTERS_MAX:,} characters")


def _print(*values: Any) -> str:
    bounded(sum(len(printed(value)) for value in values))
    pieces: list[str] = []
    for number_, value in enumerate(values):
        if number_ and not isinstance(value, str) and not isinstance(values[number_ - 1], str):
            pieces.append(" ")
        pieces.append(printed(value))
    return "".join(pieces)


FUNCTIONS: Mapping[str, Function] = {
    "add": lambda b, a: _in_bounds(number(a) + number(b)),
    "base64Decode": _base64_decode,
    "base64Encode": lambda value: base64.b64encode(text(value).encode()).decode(),
    "base64URLDecode": _base64_url_decode,
    "base64URLEncode": lambda value: base64.urlsafe_b64encode(text(value).encode()).decode(),
    "contains": _contains,
    "divide": _divide,
    "eq": _equal,
    "ge": lambda a, b: not _less(a, b),
    "gt": lambda a, b: _less(b, a),
    "hmacSHA256Hex": lambda message, key: hmac.new(
        text(key).encode(), text(message).encode(), hashlib.sha256
    ).hexdigest(),
    "html": _html,
    "in": lambda value, wanted: _contains(wanted, value),
    "indent": _indent,
    "index": _index,
    "join": _join,
    "le": lambda a, b: not _less(b, a),
    "len": _length,
    "loop": _loop,
    "lt": _less,
    "maximum": lambda b, a: max(number(a), number(b)),
    "minimum": lambda b, a: min(number(a), number(b)),
    "modulo": _modulo,
    "multiply": lambda b, a: _in_bounds(number(a) * number(b)),
    "ne": lambda a, b: not _equal_pair(a, b),
    "not": lambda value: not is_true(value),
    "parseBool": _parse_bool,
    "parseFloat": _parse_float,
    "parseInt": _parse_int,
    "parseJSON": _parse_json,
    "parseUint": _parse_uint,
    "print": _print,
    "printf": lambda pattern, *values: formatted(text(pattern), values),
    "println": lambda *values: " ".join(printed(value) for value in values) + "\n",
    "replaceAll": _replace_all,
    "sha256Hex": lambda value: hashlib.sha256(text(value).encode()).hexdigest(),
    "slice": _slice,
    "split": _split,
    "subtract": lambda b, a: _in_bounds(number(a) - number(b)),
    "toJSON": as_json,
    "toJSONPretty": lambda value: as_json(value, pretty=True),
    "toLower": lambda value: text(value).lower(),
    "toTitle": lambda value: text(value).title(),
    "toUnescapedJSON": lambda value: as_json(value, escaped=False),
    "toUnescapedJSONPretty": lambda value: as_json(value, pretty=True, escaped=False),
    "toUpper": lambda value: text(value).upper(),
    "trim": lambda cut, value: text(value).strip(text(cut)),
    "trimPrefix": lambda prefix, value: text(value).removeprefix(text(prefix)),
    "trimSpace": lambda value: text(value).strip(),
    "trimSuffix": lambda suffix, value: text(value).removesuffix(text(suffix)),
    "urlquery": lambda *values: quote("".join(printed(value) for value in values), safe="").replace("%20", "+"),
}
"""What can be called, by its name. ``and`` and ``or`` are not among them: they do not look at all their arguments."""
