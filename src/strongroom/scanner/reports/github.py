"""GitHub's workflow commands: an annotation in a pull request for each finding. It never holds a secret."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.scanner.reports.masking import printable
from strongroom.scanner.reports.report import Report

_COMMANDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice", "info": "notice"}


def github(report: Report) -> Iterator[str]:
    """One command a line. A file's name cannot begin a command of its own: line breaks and separators are encoded."""
    for finding, occurrence in report.places():
        rule = finding.rule
        properties = {
            "file": report.relative(occurrence.path),
            "line": str(occurrence.line),
            "endLine": str(occurrence.end_line),
            "title": rule.title,
        }
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        message = f"{rule.title} ({rule.id}). {rule.revoke} Fingerprint {finding.fingerprint}"
        yield f"::{_COMMANDS[rule.severity.value]} {listed}::{_data(message)}\n"
    for problem in report.failures:
        yield f"::error title=Not scanned::{_data(f'{problem.path}: {problem.what}')}\n"


def _data(text: str) -> str:
    # The older form of commands, `##[name]`, counts wherever it stands in a line.
    return printable(text).replace("##[", "## [").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
