"""GitLab's secret detection report, schema version 15. It never holds a secret."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.reports.masking import printable
from strongroom.scanner.reports.report import Report

_SCHEMA = "15.0.7"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_LONGEST_NAME = 255
_LONGEST_SOLUTION = 7000
"""Characters that the schema allows. Of a report that does not hold to it GitLab takes nothing."""
_NO_COMMIT = "0000000"
"""GitLab wants a commit of each location; this is what its own analyzer writes where there is none."""


def gitlab(report: Report) -> Iterator[str]:
    """The whole report: one vulnerability for each occurrence."""
    about = {
        "id": "strongroom",
        "name": "Strongroom",
        "version": report.version or "0",
        "vendor": {"name": "Strongroom"},
    }
    yield json.dumps(
        {
            "version": _SCHEMA,
            "scan": {
                "analyzer": about,
                "scanner": about,
                "type": "secret_detection",
                "start_time": report.started or "1970-01-01T00:00:00",
                "end_time": report.ended or "1970-01-01T00:00:00",
                "status": "failure" if report.failures else "success",
                "messages": [
                    {
                        "level": "warn" if problem.is_note else "fatal",
                        "value": f"{printable(problem.path)}: {problem.what}",
                    }
                    for problem in report.problems
                ],
            },
            "vulnerabilities": [_vulnerability(report, finding, occurrence) for finding, occurrence in report.places()],
        },
        indent=1,
    )
    yield "\n"


def _vulnerability(report: Report, finding: Finding, occurrence: Occurrence) -> dict[str, Any]:
    path = report.relative(occurrence.path)
    place = f"{finding.fingerprint} {path} {occurrence.line} {occurrence.commit}"
    commit: dict[str, Any] = {"sha": occurrence.commit or _NO_COMMIT}
    if occurrence.author:
        commit["author"] = printable(occurrence.author)
    if occurrence.author_date:
        commit["date"] = occurrence.author_date
    return {
        "id": str(uuid.uuid5(_NAMESPACE, place.encode("ascii", "backslashreplace").decode())),
        "category": "secret_detection",
        "name": finding.rule.title[:_LONGEST_NAME],
        "description": f"{finding.rule.title} was found. It is known to everybody who can read the file.",
        "severity": finding.rule.severity.value.capitalize(),
        "solution": (finding.rule.revoke or "Make the secret worthless where it is used, then replace it.")[
            :_LONGEST_SOLUTION
        ],
        "scanner": {"id": "strongroom", "name": "Strongroom"},
        "location": {"file": path, "start_line": occurrence.line, "end_line": occurrence.end_line, "commit": commit},
        "identifiers": [
            {"type": "strongroom_rule_id", "name": f"Strongroom rule {finding.rule.id}", "value": finding.rule.id},
            {"type": "strongroom_fingerprint", "name": "Fingerprint of the secret", "value": finding.fingerprint},
        ],
    }
