"""The table of formats: a name, and what writes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from strongroom.scanner.reports.report import Report

FORMATS = {
    "text": "strongroom.scanner.reports.text:text_report",
    "json": "strongroom.scanner.reports.rows:json_array",
    "jsonl": "strongroom.scanner.reports.rows:json_lines",
    "csv": "strongroom.scanner.reports.rows:csv_table",
    "sarif": "strongroom.scanner.reports.sarif:sarif",
    "junit": "strongroom.scanner.reports.junit:junit",
    "gitlab": "strongroom.scanner.reports.gitlab:gitlab",
    "github": "strongroom.scanner.reports.github:github",
    "html": "strongroom.scanner.reports.html:html",
}
"""Where each format is written. Only the one that is asked for is loaded."""


def formatter(name: str) -> Callable[..., Iterator[str]]:
    """What writes a report in the format `name`, a key of FORMATS."""
    module, _, attribute = FORMATS[name].partition(":")
    found: Callable[[Report], Iterator[str]] = getattr(importlib.import_module(module), attribute)
    return found
