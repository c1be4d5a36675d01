"""What one operation of a path takes and answers, in the words of OpenAPI."""

from __future__ import annotations

from typing import Any

from strongroom.describe.schemas import object_schema, reference, value_schema
from strongroom.logical.backend import Declared, Endpoint, Shape
from strongroom.logical.field import Field
from strongroom.logical.operation import Capability, Operation

_METHODS = {
    Operation.READ: "get",
    Operation.LIST: "get",
    Operation.UPDATE: "post",
    Operation.PATCH: "patch",
    Operation.DELETE: "delete",
}
_VERBS = {Operation.UPDATE: "write"}
_WITH_BODY = (Operation.UPDATE, Operation.PATCH)


def by_method(group: list[Declared]) -> dict[str, list[Declared]]:
    """The endpoints of one path by their HTTP method in the document. A read stands before the list that shares its method."""
    methods: dict[str, list[Declared]] = {}
    for one in group:
        methods.setdefault(_METHODS[one.endpoint.operation], []).append(one)
    for sharing in methods.values():
        sharing.sort(key=lambda one: one.endpoint.operation is Operation.LIST)
    return methods


def verb(endpoint: Endpoint) -> str:
    """The operation in names of operations; a write is one whether it creates or updates."""
    return _VERBS.get(endpoint.operation, endpoint.operation.value)


def capabilities(endpoint: Endpoint) -> tuple[str, ...]:
    """The capabilities that a token needs, the first of which may be one of two; none where any token or no token will do."""
    if endpoint.unauthenticated or endpoint.any_access:
        return ()
    if endpoint.exists is not None:
        needed = f"{Capability.CREATE.value} or {Capability.UPDATE.value}"
    else:
        needed = endpoint.operation.value
    return (needed, Capability.SUDO.value) if endpoint.sudo else (needed,)


def describe(sharing: list[Declared]) -> dict[str, Any]:
    """The operation that stands for these endpoints, but for its body and its name: one, or a read and a list."""
    endpoint = sharing[0].endpoint
    described: dict[str, Any] = {"summary": endpoint.summary}
    if len(sharing) > 1:
        described["description"] = f"With `list=true`: {sharing[1].endpoint.summary}"
    if parameters := _query_parameters(sharing):
        described["parameters"] = parameters
    described["responses"] = _responses(sharing)
    described["security"] = [] if endpoint.unauthenticated else [{"token": []}, {"bearer": []}]
    if endpoint.deprecated:
        described["deprecated"] = True
    if needed := capabilities(endpoint):
        described["x-strongroom-capabilities"] = list(needed)
    return described


def body_schema(declared: Declared) -> dict[str, Any] | None:
    """The schema of the body, or None where there is none."""
    if declared.endpoint.operation not in _WITH_BODY:
        return None
    fields = _sent(declared)
    if not fields and not declared.request_type.whole_body:
        return None
    return object_schema(fields, takes_anything=declared.request_type.whole_body is not None)


def request_body(declared: Declared, schema_name: str) -> dict[str, Any]:
    """The body of an operation, its schema by name. A patch also comes as a merge patch (RFC 7396)."""
    is_patch = declared.endpoint.operation is Operation.PATCH
    content_type = "application/merge-patch+json" if is_patch else "application/json"
    return {
        "required": any(field.required for field in _sent(declared)),
        "content": {content_type: {"schema": reference(schema_name)}},
    }


def _sent(declared: Declared) -> list[Field]:
    return [field for field in declared.request_type.fields if not field.in_path]


def _query_parameters(sharing: list[Declared]) -> list[dict[str, Any]]:
    parameters: dict[str, dict[str, Any]] = {}
    for one in sharing:
        if one.endpoint.operation in _WITH_BODY:
            continue
        for field in _sent(one):
            parameters.setdefault(field.name, _query_parameter(field, is_required=field.required and len(sharing) == 1))
    if sharing[-1].endpoint.operation is Operation.LIST:
        parameters["list"] = _list_parameter(is_required=len(sharing) == 1)
    return list(parameters.values())


def _query_parameter(field: Field, *, is_required: bool) -> dict[str, Any]:
    parameter: dict[str, Any] = {
        "name": field.name,
        "in": "query",
        "description": field.doc.text,
        "schema": value_schema(field),
    }
    if is_required:
        parameter["required"] = True
    return parameter


def _list_parameter(*, is_required: bool) -> dict[str, Any]:
    parameter: dict[str, Any] = {
        "name": "list",
        "in": "query",
        "description": "Must be set to `true`" if is_required else "Return a list if `true`",
        "schema": {"type": "string", "enum": ["true"]} if is_required else {"type": "string"},
    }
    if is_required:
        parameter["required"] = True
    return parameter


def _responses(sharing: list[Declared]) -> dict[str, Any]:
    endpoint = sharing[0].endpoint
    responses = {
        "200": {"description": "OK", "content": {"application/json": {"schema": _answer_schema(sharing)}}},
        "400": _error("The input is wrong; the text says what was expected."),
    }
    if endpoint.operation in (*_WITH_BODY, Operation.DELETE):
        responses["204"] = {"description": "Done; there is nothing to say."}
    if not endpoint.unauthenticated:
        responses["403"] = _error("Permission denied.")
        responses["404"] = _error("Nothing is there.")
    if not endpoint.answers_sealed:
        responses["503"] = _error("The vault is sealed.")
    return dict(sorted(responses.items()))


def _answer_schema(sharing: list[Declared]) -> dict[str, Any]:
    endpoint = sharing[0].endpoint
    if endpoint.shape is Shape.BARE:
        return {"type": "object"}
    return reference("ListAnswer" if endpoint.operation is Operation.LIST else "Answer")


def _error(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": reference("Error")}}}
