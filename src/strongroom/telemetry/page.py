"""The metrics as a table, for the page that documents them."""

from __future__ import annotations

from enum import Enum

from strongroom.telemetry.catalog import CATALOG, MOUNT_TYPES, VERSIONS
from strongroom.telemetry.declaration import Label

_IN_WORDS = {MOUNT_TYPES: "the type of the mount, `none` or `other`", VERSIONS: "the version"}


def metrics_table() -> str:
    """Every metric with its kind, its labels and what it means."""
    rows = [
        f"| `{one.name}` | {one.kind} | {'; '.join(_described(label) for label in one.labels) or '–'} | {one.help} |"
        for one in CATALOG
    ]
    return "\n".join(["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows])


def _described(label: Label) -> str:
    if isinstance(label.values, str):
        return f"`{label.name}`: {_IN_WORDS[label.values]}"
    members: list[Enum] = list(label.values)
    return f"`{label.name}`: " + ", ".join(f"`{member.value}`" for member in members)
