"""JUnit's XML, which most build servers show: a failed test for each finding, an error for each file that could not be scanned."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from strongroom.scanner.finding import Finding
from strongroom.scanner.reports.masking import printable
from strongroom.scanner.reports.report import Report


def junit(report: Report) -> Iterator[str]:
    """One test suite."""
    tests = len(report.findings) + len(report.failures)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    counts = f'tests="{max(tests, 1)}" failures="{len(report.findings)}" errors="{len(report.failures)}"'
    yield f'<testsuites {counts}>\n<testsuite name="strongroom scan" {counts} skipped="0">\n'
    for finding in report.findings:
        yield from _case(report, finding)
    for problem in report.failures:
        what = _text(problem.what)
        yield f'<testcase classname="strongroom.scan" name="{_text(problem.path)}"><error message="{what}">{what}</error></testcase>\n'
    if not tests:
        yield '<testcase classname="strongroom.scan" name="no secrets"/>\n'
    yield "</testsuite>\n</testsuites>\n"


def _case(report: Report, finding: Finding) -> Iterator[str]:
    first = finding.occurrences[0]
    name = _text(f"{finding.rule.title} in {first.path}")
    message = _text(f"{finding.rule.title}: {report.value_of(finding)}")
    yield (
        f'<testcase classname="strongroom.{_text(finding.rule.id)}" name="{name}" file="{_text(first.path)}" line="{first.line}">'
        f'<failure type="{_text(finding.rule.severity.value)}" message="{message}">'
    )
    for occurrence in finding.occurrences:
        commit = f" in {occurrence.commit}" if occurrence.commit else ""
        yield _text(f"{occurrence.path}:{occurrence.line}{commit}") + "\n"
    yield _text(f"fingerprint {finding.fingerprint}\n{finding.rule.revoke}") + "</failure></testcase>\n"


def _text(text: str) -> str:
    """Text for XML 1.0, which has no way to write most control characters: they are shown as escapes."""
    return escape("\n".join(printable(line) for line in text.split("\n")), quote=True).replace("\n", "&#10;")
