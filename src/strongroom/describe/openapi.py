"""OpenAPI 3.0 of every mounted plug, derived from the declarations.

Standard: OpenAPI Specification 3.0.2, the version in which Vault serves ``sys/internal/specs/openapi`` and which its generators
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from strongroom import __version__
from strongroom.logical.backend import Declared, Endpoint
from strongroom.logical.field import Field
from strongroom.logical.operation import Operation

_METHOD = {
    Operation.READ: "get",
    Operation.LIST: "get",
    Operation.UPDATE: "post",
    Operation.PATCH: "patch",
    Operation.DELETE: "delete",
}
_CAPTURE = re.compile(r"\{([a-z0-9_]+)(?:\.\.\.|\*)?\}")
_BODY_OPERATIONS = (Operation.UPDATE, Operation.PATCH)


def document(paths: dict[str, Any]) -> dict[str, Any]:
    """The whole document around ``paths``."""
    return {
        "openapi": "3.0.2",
        "info": {
            "title": "Strongroom API",
            "description": "HTTP API that gives you full access to Strongroom. All API routes are prefixed with `/v1/`.",
            "version": __version__,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Vault-Token"}},
            "schemas": {
                "Error": {
                    "type": "object",
                    "properties": {"errors": {"type": "array", "items": {"type": "string"}}},
                    "required": ["errors"],
                }
            },
        },
    }


def path_key(mount_path: str, template: str) -> str:
    """The key of a path in the document: the mount and the template in OpenAPI's spelling."""
    return "/" + mount_path + _CAPTURE.sub(r"{\1}", template)


def describe_path(declared: Iterable[Declared]) -> dict[str, Any]:
    """The path item for the endpoints of one template."""
    endpoints = list(declared)
    item: dict[str, Any] = {"description": endpoints[0].path.help, "parameters": _path_parameters(endpoints)}
    for one in endpoints:
        item.setdefault(_METHOD[one.endpoint.operation], _operation(one))
        if one.endpoint.operation is Operation.LIST:
            _add_list_parameter(item["get"], is_only=all(e.endpoint.operation is not Operation.READ for e in endpoints))
        if one.endpoint.sudo:
            item["x-vault-sudo"] = True
        if one.endpoint.unauthenticated:
            item["x-vault-unauthenticated"] = True
        if one.endpoint.exists is not None:
            item["x-vault-createSupported"] = True
    return item


def _operation(declared: Declared) -> dict[str, Any]:
    endpoint = declared.endpoint
    described: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(declared),
        "responses": _responses(endpoint),
    }
    if endpoint.deprecated:
        described["deprecated"] = True
    if not endpoint.unauthenticated:
        described["security"] = [{"token": []}]
    body_fields = [field for field in declared.request_type.fields if not field.in_path]
    if endpoint.operation in _BODY_OPERATIONS:
        if body_fields or declared.request_type.whole_body:
            described["requestBody"] = {
                "required": any(field.required for field in body_fields),
                "content": {_media_type(endpoint): {"schema": _schema(body_fields, declared.request_type.whole_body)}},
            }
    elif body_fields:
        described["parameters"] = [_query_parameter(field) for field in body_fields]
    return described


def _operation_id(declared: Declared) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", f"{declared.endpoint.operation.value} {declared.path.template}".lower())
    return words.strip("-")


def _media_type(endpoint: Endpoint) -> str:
    return "application/merge-patch+json" if endpoint.operation is Operation.PATCH else "application/json"


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    responses = {
        "200": {"description": "OK"},
        "400": {"description": "The input is wrong; the text says what was expected.", **error},
    }
    if endpoint.operation in (*_BODY_OPERATIONS, Operation.DELETE):
        responses["204"] = {"description": "Done; there is nothing to say."}
    if not endpoint.unauthenticated:
        responses["403"] = {"description": "Permission denied.", **error}
    if not endpoint.answers_sealed:
        responses["503"] = {"description": "The vault is sealed.", **error}
    return responses


def _schema(fields: list[Field], whole_body: str | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {field.name: _property(field) for field in fields}}
    required = [field.name for field in fields if field.required]
    if required:
        schema["required"] = required
    if whole_body:
        schema["additionalProperties"] = True
    return schema


def _property(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"type": field.json_type, "description": field.doc.text}
    if field.json_type == "array":
        described["items"] = {"type": "string"}
    if isinstance(field.default, (str, int, bool)) and field.default != "":
        described["default"] = field.default
    return described


def _query_parameter(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "in": "query",
        "required": field.required,
        "description": field.doc.text,
        "schema": {"type": field.json_type if field.json_type != "object" else "string"},
    }


def _add_list_parameter(operation: dict[str, Any], *, is_only: bool) -> None:
    parameters = operation.setdefault("parameters", [])
    if not any(parameter["name"] == "list" for parameter in parameters):
        parameters.append(
            {
                "name": "list",
                "in": "query",
                "required": is_only,
                "description": "Must be set to `true` to list.",
                "schema": {"type": "string", "enum": ["true"]},
            }
        )


def _path_parameters(endpoints: list[Declared]) -> list[dict[str, Any]]:
    names = _CAPTURE.findall(endpoints[0].path.template)
    docs = {field.name: field.doc.text for one in endpoints for field in one.request_type.fields}
    return [
        {"name": name, "in": "path", "required": True, "description": docs.get(name, ""), "schema": {"type": "string"}}
        for name in names
    ]
