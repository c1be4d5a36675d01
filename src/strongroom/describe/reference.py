"""The reference of one plug as Markdown, derived from its declarations: its paths, what each operation needs, and its fields."""

from __future__ import annotations

import re
from collections.abc import Iterable

from strongroom.describe.openapi import Part, by_key
from strongroom.describe.operations import capabilities
from strongroom.describe.schemas import default_of
from strongroom.logical.backend import Declared, Endpoint, Shape
from strongroom.logical.field import Field
from strongroom.logical.operation import Operation

_METHODS = {
    Operation.READ: "GET",
    Operation.LIST: "LIST",
    Operation.UPDATE: "POST",
    Operation.PATCH: "PATCH",
    Operation.DELETE: "DELETE",
}


def plug_text(part: Part) -> str:
    """The reference of the plug that answers at ``part``: what it is for, a table of its operations, and each path."""
    groups = by_key(part.router.declared)
    lines = [part.router.backend.help.strip(), "", *_overview(part)]
    for key, group in groups.items():
        lines += ["", f"## `{part.mount_path}{key}`", ""]
        lines += list(dict.fromkeys(one.path.help.strip() for one in group))
        for one in group:
            lines += ["", *_operation(part, one)]
    return "\n".join(lines)


def escaped(text: str) -> str:
    """The text as it can stand in a table's cell."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def _overview(part: Part) -> Iterable[str]:
    yield "| operation | needs | what it does |"
    yield "|---|---|---|"
    for one in part.router.declared:
        yield f"| `{_request_line(part, one)}` | {_needs(one.endpoint)} | {escaped(one.endpoint.summary)} |"


def _operation(part: Part, declared: Declared) -> Iterable[str]:
    endpoint = declared.endpoint
    yield f"### `{_request_line(part, declared)}`"
    yield ""
    yield " ".join([endpoint.summary.strip(), *_notes(declared)])
    if declared.request_type.fields:
        yield ""
        yield "| field | takes | default | meaning |"
        yield "|---|---|---|---|"
    for field in declared.request_type.fields:
        yield f"| `{field.name}` | {escaped(_takes(field))} | {_default(field)} | {escaped(field.doc.text)} |"


def _request_line(part: Part, declared: Declared) -> str:
    # A capture of several segments keeps its dots, so that the reader sees that slashes may stand there.
    template = declared.path.template.replace("*}", "...}")
    return f"{_METHODS[declared.endpoint.operation]} /v1/{part.mount_path}{template}"


def _needs(endpoint: Endpoint) -> str:
    if endpoint.unauthenticated:
        return "no token"
    return ", ".join(f"`{name}`" for name in _words(capabilities(endpoint))) or "any token"


def _words(needed: tuple[str, ...]) -> list[str]:
    return [word.replace(" or ", "` or `") for word in needed]


def _notes(declared: Declared) -> Iterable[str]:
    endpoint = declared.endpoint
    if endpoint.unauthenticated:
        yield "Needs no token."
    elif needed := capabilities(endpoint):
        yield f"Needs {' and '.join(f'`{name}`' for name in _words(needed))}."
    else:
        yield "Any valid token may ask."
    if endpoint.answers_sealed:
        yield "Answered while the vault is sealed, too."
    if endpoint.shape is Shape.BARE:
        yield "The answer has no envelope."
    if endpoint.deprecated:
        yield "**Deprecated.**"
    if declared.request_type.whole_body:
        yield "Every member of the body is taken as it is."


def _takes(field: Field) -> str:
    kind = field.kind.partition(":")[0]
    return f"{kind}, in the path" if field.in_path else kind


def _default(field: Field) -> str:
    if field.required or field.in_path:
        return "required"
    default = default_of(field)
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
