"""What a report is made of, and the row that formats with rows have for each occurrence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.problem import Problem
from strongroom.scanner.reports.masking import masked, shown

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a scan. `started` and `ended` are in ISO 8601, UTC, to the second, without a zone."""

    findings: Sequence[Finding]
    problems: Sequence[Problem] = ()
    version: str = ""
    started: str = ""
    ended: str = ""
    fragments: int = 0
    size: int = 0
    allowed: int = 0
    in_baseline: int = 0
    reveal: bool = field(default=False)
    redact: bool = False
    source_root: str = ""
    """What paths are given relative to where a format wants them so: the prefix that is cut off."""

    @property
    def failures(self) -> list[Problem]:
        """What makes the scan a failed one."""
        return [problem for problem in self.problems if not problem.is_note]

    @property
    def occurrences(self) -> int:
        """How many places all findings have."""
        return sum(len(finding.occurrences) for finding in self.findings)

    def value_of(self, finding: Finding) -> str:
        """The secret as this report shows it."""
        if self.reveal:
            return shown(finding.value)
        return masked(finding.value, redact=self.redact)

    def places(self) -> Iterator[tuple[Finding, Occurrence]]:
        """Every finding with each of its places."""
        for finding in self.findings:
            for occurrence in finding.occurrences:
                yield finding, occurrence

    def relative(self, path: str) -> str:
        """`path` as seen from the root of the scan."""
        return path.removeprefix(self.source_root) if self.source_root else path.lstrip("/")


def row(report: Report, finding: Finding, occurrence: Occurrence) -> dict[str, Any]:
    """One occurrence as plain values."""
    rule = finding.rule
    values: dict[str, Any] = {
        "file": occurrence.path,
        "line": occurrence.line,
        "end_line": occurrence.end_line,
        "column": occurrence.column,
        "end_column": occurrence.end_column,
        "rule": rule.id,
        "title": rule.title,
        "severity": rule.severity.value,
        "provider": rule.provider,
        "kind": rule.kind.value,
        "score": round(finding.score, 4),
        "reasons": list(finding.reasons),
        "fingerprint": finding.fingerprint,
        "masked": masked(finding.value, redact=report.redact),
        "layers": list(occurrence.layers),
        "object": occurrence.object_id,
        "commit": occurrence.commit,
        "author": occurrence.author,
        "author_date": occurrence.author_date,
        "in_head": occurrence.in_head,
        "verification": finding.verification,
        "revoke": rule.revoke,
    }
    if occurrence.feed:
        values |= {"feed": occurrence.feed, "address": occurrence.address}
    if report.reveal:
        values["value"] = shown(finding.value)
    return values
