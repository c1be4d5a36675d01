"""What a hook says: where the secrets are, and how to go on. Never the secrets, nor how they begin."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.reports.masking import logged
from strongroom.scanner.reports.report import Report

_MOST = 20
_WIDTH = 200
"""Characters of a name that are shown: names may be as long as a page."""
_ALLOW = (
    'Where it is no secret: strongroom:allow reason="…" on its line, or its file or fingerprint in .strongroomignore'
)
_SCENES = {
    "pre-commit": (
        "in what is committed",
        (
            "Nothing was committed. Take them out of the files and stage these again, or refer to them: strongroom run",
            f"{_ALLOW}.",
            "strongroom scan staged shows more. Once without this check: git commit --no-verify",
        ),
    ),
    "pre-push": (
        "in what is pushed",
        (
            "Nothing was pushed. Take them out of the commits that brought them (git rebase -i): another commit on top hides nothing.",
            f"{_ALLOW}.",
            "Once without this check: git push --no-verify",
        ),
    ),
    "pre-receive": (
        "in what is pushed",
        (
            "The push is refused. Take them out of the commits that brought them (git rebase -i): another commit on top hides nothing.",
            f"{_ALLOW} on this server.",
        ),
    ),
}


def hook_message(report: Report, hook: str) -> Iterator[str]:
    """The lines to say, without ends; none if there is nothing to say."""
    where, advice = _SCENES[hook]
    count = len(report.findings)
    if count:
        yield f"strongroom: {count} secret{'s' * (count != 1)} {where}:"
        places = list(report.places())
        yield from (f"  {_place(*place)}" for place in places[:_MOST])
        if len(places) > _MOST:
            yield f"  and {len(places) - _MOST} more places"
        yield from advice
    if report.failures:
        yield "strongroom: this could not be scanned, so it is refused:"
        yield from (f"  {_short(one.path)}: {_short(one.what)}" for one in report.failures[:_MOST])
        if len(report.failures) > _MOST:
            yield f"  and {len(report.failures) - _MOST} more"
        yield "What is never to be scanned stands under exclude in .strongroom-scan.toml."
    if report.allowed:
        yield f"strongroom: {report.allowed} place{'s' * (report.allowed != 1)} allowed by marks or .strongroomignore"


def _place(finding: Finding, occurrence: Occurrence) -> str:
    commit = f" in commit {occurrence.commit[:12]}" if occurrence.commit else ""
    return (
        f"{_short(occurrence.path)}:{occurrence.line}{commit}  {_short(finding.rule.title)} ({_short(finding.rule.id)})"
    )


def _short(text: str) -> str:
    shown = logged(text)
    return shown if len(shown) <= _WIDTH else f"{shown[:_WIDTH]}…"
