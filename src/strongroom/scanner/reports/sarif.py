"""SARIF 2.1.0, as OASIS defines it: for GitHub code scanning and others that show it. It never holds a secret, revealed or masked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.reports.masking import printable
from strongroom.scanner.reports.report import Report
from strongroom.scanner.rule import Rule

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "1.0"}
"""`security-severity`, by which GitHub sorts: critical above 9, high from 7, medium from 4."""
_ROOT = "SRCROOT"
MOST_RESULTS = 25_000
"""Results that GitHub takes of one run: with more of them it takes none."""
_LONGEST_TITLE = 1000


def sarif(report: Report) -> Iterator[str]:
    """The whole log: one run, one result for each occurrence."""
    places = list(islice(report.places(), MOST_RESULTS))
    rules = {finding.rule.id: finding.rule for finding, _ in places}
    numbers = {name: number for number, name in enumerate(sorted(rules))}
    driver: dict[str, Any] = {
        "name": "Strongroom",
        "semanticVersion": report.version or "0.0.0",
        "rules": [_rule(rules[name]) for name in sorted(rules)],
    }
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of what was scanned."}}},
        "invocations": [_invocation(report)],
        "results": [_result(report, finding, occurrence, numbers) for finding, occurrence in places],
    }
    yield json.dumps(
        {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}, indent=1
    )
    yield "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    revoke = rule.revoke or "Make the secret worthless where it is used, then replace it."
    text = f"A secret that is in a file is known to everybody who has the file. Revoke it: {revoke}"
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title[:_LONGEST_TITLE]},
        "fullDescription": {
            "text": f"{rule.title}{f' of {rule.provider}' if rule.provider else ''}"[:_LONGEST_TITLE]
            + " in what was scanned."
        },
        "help": {"text": text, "markdown": f"**{rule.title}**\n\n{text}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity.value]},
        "properties": {
            "security-severity": _SCORES[rule.severity.value],
            "tags": ["security", "secret"],
            "precision": "high",
        },
    }


def _result(report: Report, finding: Finding, occurrence: Occurrence, numbers: dict[str, int]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "score": round(finding.score, 4),
        "reasons": [printable(one) for one in finding.reasons],
    }
    if occurrence.commit:
        properties |= {"commit": occurrence.commit, "authorDate": occurrence.author_date, "inHead": occurrence.in_head}
    if occurrence.feed:
        properties |= {"feed": occurrence.feed, "author": occurrence.author, "time": occurrence.author_date}
    if occurrence.layers:
        properties["layers"] = list(occurrence.layers)
    if finding.verification:
        properties["verification"] = finding.verification
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": numbers[finding.rule.id],
        "level": _LEVELS[finding.rule.severity.value],
        "message": {"text": f"{finding.rule.title}{_where(occurrence)}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _place(report, occurrence),
                    "region": {"startLine": occurrence.line, "endLine": occurrence.end_line},
                }
            }
        ],
        "partialFingerprints": {"secretFingerprint/v1": finding.fingerprint},
        "properties": properties,
    }


def _place(report: Report, occurrence: Occurrence) -> dict[str, str]:
    """Where it is: below the root of the scan, or at an address of the web."""
    if occurrence.feed and occurrence.path.startswith(("https://", "http://")):
        return {"uri": quote(occurrence.path.encode("utf-8", "surrogatepass"), safe="/:?#[]@!$&'()*+,;=~-._%")}
    return {"uri": uri(report.relative(occurrence.path)), "uriBaseId": _ROOT}


def _where(occurrence: Occurrence) -> str:
    layers = f", under {' in '.join(reversed(occurrence.layers))}" if occurrence.layers else ""
    commit = f", in commit {occurrence.commit[:12]}" if occurrence.commit else ""
    return f"{layers}{commit}"


def _invocation(report: Report) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": not report.failures}
    if report.started:
        invocation |= {"startTimeUtc": f"{report.started}Z", "endTimeUtc": f"{report.ended}Z"}
    notes = [
        ("note" if problem.is_note else "error", f"{printable(problem.path)}: {printable(problem.what)}")
        for problem in report.problems
    ]
    if (left_out := report.occurrences - MOST_RESULTS) > 0:
        notes.insert(
            0,
            (
                "error",
                f"{left_out} more places are not in this report: no more than {MOST_RESULTS} are taken by those who show it",
            ),
        )
    if notes:
        invocation["toolExecutionNotifications"] = [
            {"level": level, "message": {"text": text}} for level, text in notes
        ]
    return invocation


def uri(path: str) -> str:
    """A path as a relative reference (RFC 3986): every character that could end it, or be a scheme, is encoded."""
    return quote(path.encode("utf-8", "surrogatepass"), safe="/!@$&'()*+,;=~-._") or "."
