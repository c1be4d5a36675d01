"""The answer to ``?help=1``, derived from the declarations."""

from __future__ import annotations

from typing import Any

from strongroom.describe.openapi import describe_path, document
from strongroom.logical.backend import Declared, Router


def path_help(router: Router | None, declared: Declared, path: str) -> dict[str, Any]:
    """Help for one path as Vault's clients show it: a text, and the path's part of the OpenAPI document."""
    template = declared.path.template
    lines = [f"Request:        {path}", f"Matching Route: {template or '/'}", "", declared.path.help, ""]
    siblings = [item for item in router.declared if item.path.template == template] if router else [declared]
    seen: set[str] = set()
    lines.append("## OPERATIONS")
    lines.extend(f"\n    {item.endpoint.operation.value}\n        {item.endpoint.summary}" for item in siblings)
    lines.extend(["", "## PARAMETERS"])
    for item in siblings:
        for field in item.request_type.fields:
            if field.name not in seen:
                seen.add(field.name)
                lines.append(f"\n    {field.name} ({field.json_type})\n        {field.doc.text}")
    return {
        "help": "\n".join(lines) + "\n",
        "see_also": None,
        "openapi": document({f"/{template}": describe_path(siblings)}),
    }


def backend_help(router: Router, mount_path: str) -> dict[str, Any]:
    """Help for a whole mount: what it is for and which paths it has."""
    lines = ["## DESCRIPTION", "", router.backend.help, "", "## PATHS", ""]
    lines.extend(f"    {path.template or '/'}\n        {path.help}\n" for path in router.backend.paths())
    return {"help": "\n".join(lines), "see_also": None, "openapi": document({}), "mount": mount_path}
