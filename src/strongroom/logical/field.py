"""Typed requests: a dataclass is the list of fields, and decoding follows from its annotations.

A handler's request type is a dataclass whose fields are ``Annotated[type, Doc("what it means")]``. From it come decoding, the
reference pages, OpenAPI and what the audit log may show. Clients are lenient in how they write values and so are we, within
the forms that Vault's clients use: numbers as numeric strings, booleans as ``"true"``, durations as seconds or ``1h30m``, lists
as comma-separated text, maps as ``a=b`` texts. Everything else is refused with a text that names the field and the form, and
never the value.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import DURATION_SECONDS_MAX, parse_duration
from strongroom.logical.secret import Secret

_INTEGER = re.compile(r"-?[0-9]{1,30}")
_INT64_MAX = 2**63 - 1
_INT64_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Doc:
    """What a field means, in one sentence. ``public`` values stand in clear in the audit log; all others are HMACed."""

    text: str
    public: bool = False


class _Marker(Enum):
    DURATION = "duration"
    WHOLE_BODY = "whole body"


Duration = Annotated[int, _Marker.DURATION]
"""Whole seconds; clients may write ``3600``, ``"3600"`` or ``"1h"``."""

WholeBody = Annotated[dict[str, Any], _Marker.WHOLE_BODY]
"""The request's whole body as it came: what the client stores under names of its own."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request type, as decoding and the documentation see it.

    ``name`` is the API's. ``attribute`` is the dataclass's, which has a trailing underscore where the API's name is a word of Python.
    ``kind`` says in words what is expected; ``schema`` says the same as an OpenAPI schema, empty where any value will do.
    """

    name: str
    attribute: str
    doc: Doc
    kind: str
    schema: Mapping[str, Any]
    required: bool
    default: Any
    in_path: bool
    decode: Callable[[Any], Any]

    def decoded(self, raw: Any) -> Any:
        """What ``raw`` means, from a body, a query or the path. Raises InvalidRequest where it has another form."""
        try:
            return self.decode(raw)
        except ValueError:
            raise InvalidRequest(f"field {self.name!r} must be {self.kind}") from None


@dataclass(frozen=True, slots=True)
class RequestType:
    """A request dataclass, read once. ``whole_body`` names the field that takes the body unread, if there is one; the values of
    ``public_fields`` stand in clear in the audit log.
    """

    type: type
    fields: tuple[Field, ...]
    whole_body: str | None
    public_fields: frozenset[str]

    def decode(self, body: Mapping[str, Any], captures: Mapping[str, str]) -> tuple[Any, list[str]]:
        """The typed request, and the names of body keys that no field takes, sorted."""
        values: dict[str, Any] = {}
        if self.whole_body is not None:
            values[self.whole_body] = dict(body)
        known = 0
        for declared in self.fields:
            name = declared.name
            if declared.in_path:
                # The path wins over the body: what the ACL saw is what the handler gets.
                values[declared.attribute] = declared.decoded(captures[name])
                known += name in body
            elif name in body:
                known += 1
                raw = body[name]
                if raw is None:
                    if declared.required:
                        raise InvalidRequest(f"field {name!r} must not be null: expected {declared.kind}")
                    continue
                values[declared.attribute] = declared.decoded(raw)
            elif declared.required:
                raise InvalidRequest(f"missing field {name!r}: expected {declared.kind}")
        request = self.type(**values)
        if self.whole_body is not None or known == len(body):
            return request, []
        names = {declared.name for declared in self.fields}
        return request, sorted(key for key in body if key not in names)


def read_request_type(request_type: type, captures: frozenset[str]) -> RequestType:
    """Read ``request_type`` once. Raises TypeError where a field lacks a ``Doc`` or has a type that cannot be decoded."""
    if not is_dataclass(request_type):
        raise TypeError(f"{request_type.__qualname__} must be a dataclass")
    hints = get_type_hints(request_type, include_extras=True)
    declared: list[Field] = []
    whole_body: str | None = None
    for item in fields(request_type):
        base, extras = _unwrap(hints[item.name])
        doc = next((extra for extra in extras if isinstance(extra, Doc)), None)
        if doc is None:
            raise TypeError(f"{request_type.__qualname__}.{item.name} has no Doc")
        if _Marker.WHOLE_BODY in extras:
            whole_body = item.name
            continue
        name = item.name.removesuffix("_")
        optional, base, inner = _optional(base)
        kind, schema, decode = _decoder(base, duration=_Marker.DURATION in (*extras, *inner))
        required = item.default is MISSING and item.default_factory is MISSING
        default = None if item.default is MISSING else item.default
        declared.append(
            Field(
                name,
                item.name,
                doc,
                kind,
                schema,
                required and not optional,
                default,
                name in captures,
                decode,
            )
        )
    missing = captures - {field.name for field in declared}
    if missing:
        raise TypeError(f"{request_type.__qualname__} lacks the captured field(s) {sorted(missing)}")
    # What stands in the path is in the record anyway; its name in a body is the client's own and stays hashed.
    public = frozenset(field.name for field in declared if field.doc.public and not field.in_path)
    return RequestType(request_type, tuple(declared), whole_body, public)


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(hint) is Annotated:
        base, *extras = get_args(hint)
        return base, tuple(extras)
    return hint, ()


def _optional(hint: Any) -> tuple[bool, Any, tuple[Any, ...]]:
    """Split ``X | None`` into (True, X, X's annotations)."""
    if get_origin(hint) in (Union, types.UnionType):
        arms = [arm for arm in get_args(hint) if arm is not type(None)]
        if len(arms) != 1:
            raise TypeError(f"a field has one type, or one type or None: {hint!r}")
        base, extras = _unwrap(arms[0])
        return True, base, extras
    return False, hint, ()


Form = tuple[str, dict[str, Any], Callable[[Any], Any]]
"""What is expected in words, the same as a schema, and how it is decoded."""


def _decoder(base: Any, *, duration: bool) -> Form:  # noqa: C901 -- one branch a type
    if duration:
        return "a duration: whole seconds, or a form like 30s, 15m, 1h30m", {"type": "string"}, decode_duration
    origin, arguments = get_origin(base), get_args(base)
    if base is bool:
        return "true or false", {"type": "boolean"}, decode_bool
    if base is int:
        return "a whole number", {"type": "integer"}, decode_int
    if base is str:
        return "a string", {"type": "string"}, decode_str
    if origin is Secret or base is Secret:
        return "a string", {"type": "string", "format": "password"}, lambda value: Secret(decode_str(value))
    if isinstance(base, type) and issubclass(base, Enum):
        return _enum_decoder(base)
    if origin is list and arguments == (str,):
        return (
            "a list of strings, or one string with commas",
            {"type": "array", "items": {"type": "string"}},
            decode_str_list,
        )
    if origin is list and arguments == (int,):
        return "a list of whole numbers", {"type": "array", "items": {"type": "integer"}}, decode_int_list
    if origin is dict and arguments == (str, str):
        return "an object of strings", {"type": "object", "additionalProperties": {"type": "string"}}, decode_str_map
    if base is dict or origin is dict:
        return "an object", {"type": "object"}, decode_object
    if base is Any:
        return "any JSON value", {}, lambda value: value
    raise TypeError(f"no decoder for a field of type {base!r}")


def _enum_decoder(base: type[Enum]) -> Form:
    values = [member.value for member in base]
    choices = ", ".join(repr(value) for value in values)
    return f"one of {choices}", {"type": "string", "enum": values}, lambda value: base(decode_str(value))


def decode_str(value: Any) -> str:
    """A string; numbers are taken as their text, for clients that guess types. ValueError otherwise."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    raise ValueError


def decode_bool(value: Any) -> bool:
    """A boolean, or ``"true"``/``"false"`` and the other spellings of Go's ParseBool. ValueError otherwise."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in ("1", "t", "T", "true", "TRUE", "True"):
            return True
        if value in ("0", "f", "F", "false", "FALSE", "False", ""):
            return False
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise ValueError


def decode_int(value: Any) -> int:
    """A 64-bit whole number, or its decimal text. ValueError otherwise."""
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    elif isinstance(value, Decimal):
        # A bounded exponent first: with 1e999999999 arithmetic overflows and int() would take all memory.
        if not value.is_finite() or value.adjusted() >= _INT64_DIGITS or value != value.to_integral_value():
            raise ValueError
        value = int(value)
    if not isinstance(value, int) or abs(value) > _INT64_MAX:
        raise ValueError
    return value


def decode_duration(value: Any) -> int:
    """Seconds: a whole number, its text, or Go's form. ValueError otherwise."""
    if isinstance(value, str):
        return parse_duration(value)
    seconds = decode_int(value)
    if abs(seconds) > DURATION_SECONDS_MAX:
        raise ValueError
    return seconds


def decode_str_list(value: Any) -> list[str]:
    """A list of strings, or one string with commas. Items are stripped and empty ones dropped. ValueError otherwise."""
    if isinstance(value, str):
        items = value.split(",")
    elif isinstance(value, list):
        items = [decode_str(item) for item in value]
    else:
        raise ValueError
    return [item.strip() for item in items if item.strip()]


def decode_int_list(value: Any) -> list[int]:
    """A list of whole numbers or their texts, one number, or one string with commas. ValueError otherwise."""
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",") if item.strip()]
    elif not isinstance(value, list):
        value = [value]
    return [decode_int(item) for item in value]


def decode_str_map(value: Any) -> dict[str, str]:
    """An object of strings, a list of ``a=b`` texts, or one such text with commas. ValueError otherwise."""
    if isinstance(value, dict):
        return {key: decode_str(item) for key, item in value.items()}
    pairs = decode_str_list(value)
    if not all("=" in pair for pair in pairs):
        raise ValueError
    return {key.strip(): text.strip() for key, _, text in (pair.partition("=") for pair in pairs)}


def decode_object(value: Any) -> dict[str, Any]:
    """A JSON object. ValueError otherwise."""
    if isinstance(value, dict):
        return value
    raise ValueError
