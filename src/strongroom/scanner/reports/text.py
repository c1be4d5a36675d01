"""The report for a person at a terminal: grouped by secret, coloured where that is wanted."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.reports.masking import logged
from strongroom.scanner.reports.report import Report

_COLOURS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "info": "2"}
_SHOWN_PLACES = 10


def text_report(report: Report, *, colour: bool = False) -> Iterator[str]:
    """The findings, one paragraph each, and a summary."""
    yield from paragraphs(report, colour=colour)
    yield _summary(report) + "\n"


def paragraphs(report: Report, *, colour: bool = False) -> Iterator[str]:
    """The findings alone."""
    for finding in report.findings:
        yield from _paragraph(report, finding, colour)


def _paragraph(report: Report, finding: Finding, colour: bool) -> Iterator[str]:  # noqa: FBT001 -- it is what its caller was given
    rule = finding.rule
    severity = rule.severity.value
    head = _painted(f"{severity.upper():<8}", _COLOURS[severity], colour)
    yield f"{head} {_painted(logged(rule.title), '1', colour)} ({logged(rule.id)}): {logged(report.value_of(finding))}\n"
    for occurrence in finding.occurrences[:_SHOWN_PLACES]:
        yield f"         {_painted(_place(occurrence), '36', colour)}{_history(occurrence)}\n"
    if len(finding.occurrences) > _SHOWN_PLACES:
        yield f"         and {len(finding.occurrences) - _SHOWN_PLACES} more places\n"
    if finding.verification:
        yield f"         verified: {finding.verification}\n"
    if finding.reasons:
        yield f"         why: {'; '.join(map(logged, finding.reasons))}\n"
    if rule.revoke:
        yield f"         revoke: {logged(rule.revoke)}\n"
    yield f"         fingerprint: {finding.fingerprint}\n\n"


def _place(occurrence: Occurrence) -> str:
    layers = f" ({' in '.join(reversed(occurrence.layers))})" if occurrence.layers else ""
    return f"{logged(occurrence.path)}:{occurrence.line}:{occurrence.column}{layers}"


def _history(occurrence: Occurrence) -> str:
    if not occurrence.commit and not occurrence.feed:
        return ""
    head = {True: "still in HEAD", False: "no longer in HEAD", None: ""}[occurrence.in_head]
    parts = [occurrence.commit[:12], logged(occurrence.author_date), logged(occurrence.author), head]
    return "  " + ", ".join(part for part in parts if part)


def _summary(report: Report) -> str:
    count = len(report.findings)
    found = "no secrets found" if not count else f"{count} secret{'s' * (count != 1)} in {report.occurrences} places"
    parts = [found, f"{report.fragments} files and parts, {_size(report.size)} scanned"]
    if report.in_baseline:
        parts.append(f"{report.in_baseline} known from the baseline")
    if report.allowed:
        parts.append(f"{report.allowed} places allowed")
    if report.failures:
        parts.append(f"{len(report.failures)} could not be scanned")
    return "; ".join(parts)


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"


def _painted(text: str, code: str, colour: bool) -> str:  # noqa: FBT001 -- as above
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
