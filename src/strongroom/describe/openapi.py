"""OpenAPI 3.0 of every mounted plug, derived from the declarations: which paths there are, and how they are named.

Standard: OpenAPI Specification 3.0.2, the version in which Vault serves ``sys/internal/specs/openapi`` and which its generators
read; their conventions are kept: a list is a GET with ``list=true``, and flags of a path stand in ``x-vault-*``. What one
operation takes and answers is ``operations``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from strongroom import __version__
from strongroom.describe import operations, schemas
from strongroom.logical.backend import Declared, Router
from strongroom.logical.operation import Operation
from strongroom.logical.path import Specificity, parse_template

_CAPTURE = re.compile(r"\{([a-z0-9_]+)(?:\.\.\.|\*)?\}")
_FIXED_MOUNTS = frozenset({"sys/", "cubbyhole/", "identity/", "auth/token/"})
"""Mounts that are always where they are: their paths stay as they are in a generic document."""


@dataclass(frozen=True, slots=True)
class Part:
    """What answers below one mount path (``secret/``, ``auth/token/``), as the document shows it."""

    mount_path: str
    router: Router

    @property
    def tag(self) -> str:
        """The group under which its operations stand."""
        if self.mount_path == "sys/":
            return "system"
        return "auth" if self.mount_path.startswith("auth/") else "secrets"


def document(parts: Iterable[Part], *, generic: bool = False) -> dict[str, Any]:
    """The whole document for ``parts``. A ``generic`` one has a parameter where the name of a mount would stand."""
    composer = _Composer()
    for part in parts:
        prefix, parameters = _generic_prefix(part) if generic else (part.mount_path.replace("{", "%7B"), [])
        for key, group in by_key(part.router.declared).items():
            composer.add(prefix + key, part, group, parameters)
        for declared in part.router.declared:
            if declared.endpoint.operation is Operation.LIST and _may_be_missing(declared):
                composer.add(prefix + _shortened(declared), part, [declared], parameters)
    return composer.document()


def path_document(part: Part, group: list[Declared]) -> dict[str, Any]:
    """The document of one path alone, relative to its mount."""
    composer = _Composer()
    composer.add(key_of(group[0]), part, group, [])
    return composer.document()


def by_key(declared: Iterable[Declared]) -> dict[str, list[Declared]]:
    """The endpoints by the key under which the document shows them: two templates may have the same one."""
    groups: dict[str, list[Declared]] = {}
    for one in declared:
        groups.setdefault(key_of(one), []).append(one)
    return groups


def key_of(declared: Declared) -> str:
    """The template in OpenAPI's spelling, which does not tell one segment from several."""
    return _CAPTURE.sub(r"{\1}", declared.path.template)


class _Composer:
    """A document in the making. Names are given once: a second claim on one gets a number."""

    def __init__(self) -> None:
        self._paths: dict[str, Any] = {}
        self._schemas: dict[str, Any] = {}
        self._taken: set[str] = set()

    def add(self, key: str, part: Part, group: list[Declared], parameters: list[dict[str, Any]]) -> None:
        """Add one path with its operations. What is there already stays."""
        endpoints = [one.endpoint for one in group]
        item = self._paths.setdefault(f"/{key}", {"description": group[0].path.help})
        if names := [*parameters, *_path_parameters(key, group)]:
            item.setdefault("parameters", names)
        for flag, holds in (
            ("x-vault-sudo", any(endpoint.sudo for endpoint in endpoints)),
            ("x-vault-unauthenticated", any(endpoint.unauthenticated for endpoint in endpoints)),
            ("x-vault-createSupported", any(endpoint.exists is not None for endpoint in endpoints)),
        ):
            if holds:
                item[flag] = True
        for method, sharing in operations.by_method(group).items():
            if method not in item:
                item[method] = self._operation(part, sharing, key)

    def document(self) -> dict[str, Any]:
        """The document around all that was added."""
        return {
            "openapi": "3.0.2",
            "info": {
                "title": "Strongroom API",
                "description": "HTTP API that gives you full access to Strongroom. "
                "All API routes are prefixed with `/v1/`.",
                "version": __version__,
                "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            },
            "servers": [{"url": "/v1"}],
            "paths": self._paths,
            "components": {
                "securitySchemes": {
                    "token": {"type": "apiKey", "in": "header", "name": "X-Vault-Token"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                },
                "schemas": {**schemas.COMMON, **self._schemas},
            },
        }

    def _operation(self, part: Part, sharing: list[Declared], key: str) -> dict[str, Any]:
        template = _CAPTURE.sub(r"{\1}", key).removeprefix(part.mount_path)
        name = self._name(f"{part.mount_path} {operations.verb(sharing[0].endpoint)} {template}")
        described = {"operationId": name, "tags": [part.tag], **operations.describe(sharing)}
        body = operations.body_schema(sharing[0])
        if body is not None:
            schema_name = "".join(word.capitalize() for word in name.split("-")) + "Request"
            self._schemas[schema_name] = body
            described["requestBody"] = operations.request_body(sharing[0], schema_name)
        return described

    def _name(self, words: str) -> str:
        wanted = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
        name, number = wanted, 1
        # Also the names of types must differ, which have no hyphens.
        while name.replace("-", "") in self._taken:
            number += 1
            name = f"{wanted}-{number}"
        self._taken.add(name.replace("-", ""))
        return name


def _generic_prefix(part: Part) -> tuple[str, list[dict[str, Any]]]:
    if part.mount_path in _FIXED_MOUNTS:
        return part.mount_path, []
    above = "auth/" if part.mount_path.startswith("auth/") else ""
    own = part.mount_path.removeprefix(above).strip("/")
    name = re.sub(r"[^a-z0-9]+", "_", own.lower()).strip("_") + "_mount_path"
    parameter = {
        "name": name,
        "in": "path",
        "required": True,
        "description": "Path where this is mounted.",
        "schema": {"type": "string", "default": own},
    }
    return f"{above}{{{name}}}/", [parameter]


def _path_parameters(key: str, group: list[Declared]) -> list[dict[str, Any]]:
    # Of several descriptions of one name the first one counts.
    fields = {field.name: field for one in reversed(group) for field in one.request_type.fields if field.in_path}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": field.doc.text,
            "schema": dict(field.schema),
        }
        for name, field in fields.items()
        if f"{{{name}}}" in key
    ]


def _may_be_missing(declared: Declared) -> bool:
    segments = parse_template(declared.path.template)
    return bool(segments) and segments[-1].specificity is Specificity.ANY


def _shortened(declared: Declared) -> str:
    """The key without its last capture: a list of the top, where that is not missing its folder but has none."""
    return key_of(declared).rpartition("{")[0].rstrip("/")
