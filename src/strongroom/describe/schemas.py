"""Schemas of the OpenAPI document: those of fields, and those that every answer has in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from strongroom.logical.field import Field

_TEXT = {"type": "string"}
_SECONDS = {"type": "integer", "description": "Seconds."}
_TEXTS = {"type": "array", "items": {"type": "string"}}


def reference(name: str) -> dict[str, Any]:
    """A reference to the schema called ``name``."""
    return {"$ref": f"#/components/schemas/{name}"}


def value_schema(field: Field) -> dict[str, Any]:
    """What one field takes, without its meaning."""
    schema = dict(field.schema)
    if (default := default_of(field)) is not None:
        schema["default"] = default
    return schema


def default_of(field: Field) -> str | int | bool | None:
    """What holds where a field is not sent, as a client would write it; None where that is nothing that could be written."""
    default = field.default.value if isinstance(field.default, Enum) else field.default
    if not isinstance(default, (str, int)):
        return None
    if field.schema.get("type") == "string" and not isinstance(default, str):
        return f"{default}s" if default else None  # a duration; 0 stands for "not said"
    return default if default != "" else None


def object_schema(fields: Iterable[Field], *, takes_anything: bool) -> dict[str, Any]:
    """An object with ``fields``. One that ``takes_anything`` may have further members of any name."""
    fields = list(fields)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: {"description": field.doc.text, **value_schema(field)} for field in fields},
    }
    if required := [field.name for field in fields if field.required]:
        schema["required"] = required
    if takes_anything:
        schema["additionalProperties"] = True
    return schema


def _or_null(name: str) -> dict[str, Any]:
    return {"nullable": True, "allOf": [reference(name)]}


COMMON: Mapping[str, Any] = MappingProxyType(
    {
        "Error": {"type": "object", "properties": {"errors": _TEXTS}, "required": ["errors"]},
        "Answer": {
            "type": "object",
            "properties": {
                "request_id": _TEXT,
                "lease_id": _TEXT,
                "renewable": {"type": "boolean"},
                "lease_duration": _SECONDS,
                "data": {"type": "object", "nullable": True, "additionalProperties": True},
                "wrap_info": _or_null("WrapInfo"),
                "warnings": {**_TEXTS, "nullable": True},
                "auth": _or_null("Auth"),
            },
        },
        "ListAnswer": {
            "allOf": [
                reference("Answer"),
                {
                    "type": "object",
                    "properties": {
                        "data": {
                            "type": "object",
                            "properties": {
                                "keys": _TEXTS,
                                "key_info": {"type": "object", "additionalProperties": {"type": "object"}},
                            },
                        }
                    },
                },
            ]
        },
        "Auth": {
            "type": "object",
            "properties": {
                "client_token": {"type": "string", "format": "password"},
                "accessor": _TEXT,
                "policies": _TEXTS,
                "token_policies": _TEXTS,
                "metadata": {"type": "object", "nullable": True, "additionalProperties": {"type": "string"}},
                "lease_duration": _SECONDS,
                "renewable": {"type": "boolean"},
                "entity_id": _TEXT,
                "token_type": _TEXT,
                "orphan": {"type": "boolean"},
                "num_uses": {"type": "integer"},
            },
        },
        "WrapInfo": {
            "type": "object",
            "properties": {
                "token": {"type": "string", "format": "password"},
                "accessor": _TEXT,
                "ttl": _SECONDS,
                "creation_time": {"type": "string", "format": "date-time"},
                "creation_path": _TEXT,
                "wrapped_accessor": _TEXT,
            },
        },
    }
)
