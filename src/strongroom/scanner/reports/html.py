"""A page for people without a terminal: one file, no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.reports.masking import printable
from strongroom.scanner.reports.report import Report

_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Strongroom scan</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1b1b;background:#fff}
article{border:1px solid #ccc;border-left:.4rem solid #888;border-radius:.3rem;padding:.2rem 1rem 1rem;margin:1rem 0}
.critical{border-left-color:#a00}.high{border-left-color:#d33}.medium{border-left-color:#c80}.low{border-left-color:#28a}
code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}ul{padding-left:1.2rem}small{color:#555}
@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}article{border-color:#555}small{color:#aaa}}
</style></head><body>
"""


def html(report: Report) -> Iterator[str]:
    """The page."""
    yield _HEAD
    yield f"<h1>Strongroom scan</h1><p>{len(report.findings)} secrets in {report.occurrences} places.</p>\n"
    for finding in report.findings:
        yield from _article(report, finding)
    if report.problems:
        yield "<h2>Not scanned</h2><ul>"
        yield from (f"<li><code>{_text(one.path)}</code>: {_text(one.what)}</li>" for one in report.problems)
        yield "</ul>\n"
    yield "</body></html>\n"


def _article(report: Report, finding: Finding) -> Iterator[str]:
    rule = finding.rule
    yield f'<article class="{rule.severity.value}"><h2>{_text(rule.title)}</h2>'
    yield f"<p><code>{_text(report.value_of(finding))}</code> <small>{rule.severity.value}, {_text(rule.id)}, "
    yield f"fingerprint {finding.fingerprint}</small></p><ul>"
    yield from (f"<li>{_place(one)}</li>" for one in finding.occurrences)
    yield "</ul>"
    if finding.reasons:
        yield f"<p>{_text('; '.join(finding.reasons))}</p>"
    if rule.revoke:
        yield f"<p>Revoke: {_text(rule.revoke)}</p>"
    yield "</article>\n"


def _place(occurrence: Occurrence) -> str:
    commit = (
        f" <small>{_text(occurrence.commit[:12])} {_text(occurrence.author_date)}</small>" if occurrence.commit else ""
    )
    return f"<code>{_text(occurrence.path)}:{occurrence.line}</code>{commit}"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
