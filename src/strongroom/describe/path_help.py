"""The answer to ``?help=1``, derived from the declarations: of one path, or of a whole mount at its root.

Help is an operation that every path has and that no plug declares. :func:`help_endpoint` makes its endpoint, so that a request
for help walks the same way as any other.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from strongroom.describe.openapi import Part, document, key_of, path_document
from strongroom.logical.backend import Context, Declared, Endpoint, Path, Router, Shape
from strongroom.logical.errors import UnsupportedPath
from strongroom.logical.field import Field, read_request_type
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response

_WIDTH = 80
_PATHS_TEXT = (
    "The following paths are supported by this backend. To view help for any of the paths below, use the help command with any "
    "route matching the path pattern. Note that depending on the policy of your auth token, you may or may not be able to access "
    "certain paths."
)


@dataclass(slots=True)
class _Nothing:
    """A request for help has no fields."""


_NO_FIELDS = read_request_type(_Nothing, frozenset())


def help_endpoint(router: Router, mount_path: str, rest: str) -> Declared:
    """The endpoint that explains the path ``rest`` of a mount; where it is empty, the mount. Raises UnsupportedPath."""
    part = Part(mount_path, router)
    matching = router.matching(rest)
    if not rest:
        template, group = "", matching
    elif matching:
        template = matching[0].path.template
        group = [one for one in matching if key_of(one) == key_of(matching[0])]
    else:
        raise UnsupportedPath

    def explain(context: Context, _: _Nothing) -> Response:
        del context
        data = _path_help(part, group, rest) if rest else _mount_help(part)
        return Response(data=data, is_documentation=True)

    endpoint = Endpoint(Operation.HELP, explain, "Explain a path.", any_access=True, shape=Shape.BARE)
    return Declared(Path(template, "Help.", (endpoint,)), endpoint, _NO_FIELDS)


def _path_help(part: Part, group: list[Declared], rest: str) -> dict[str, Any]:
    lines = [f"Request:        {rest}", f"Matching Route: {group[0].path.template}", ""]
    lines += [*_wrapped(dict.fromkeys(one.path.help for one in group)), "", "## OPERATIONS"]
    for one in group:
        lines += ["", f"    {one.endpoint.operation.value}", *_wrapped([one.endpoint.summary], 8)]
    if fields := {field.name: field for one in group for field in one.request_type.fields}:
        lines += ["", "## PARAMETERS"]
    for name, field in sorted(fields.items()):
        lines += ["", f"    {name} ({_type_name(field)})", "", *_wrapped([field.doc.text], 8)]
    return {"help": "\n".join(lines) + "\n", "see_also": None, "openapi": path_document(part, group)}


def _mount_help(part: Part) -> dict[str, Any]:
    backend = part.router.backend
    lines = ["## DESCRIPTION", "", *_wrapped([backend.help]), "", "## PATHS", "", *_wrapped([_PATHS_TEXT])]
    for path in backend.paths():
        lines += ["", f"    {path.template or '/'}", *_wrapped([path.help], 8)]
    return {"help": "\n".join(lines) + "\n", "see_also": None, "openapi": document([part])}


def _type_name(field: Field) -> str:
    return str(field.schema.get("type", "any"))


def _wrapped(texts: Iterable[str], indent: int = 0) -> list[str]:
    space = " " * indent
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=space,
            subsequent_indent=space,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
