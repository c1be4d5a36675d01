"""What a repository accepted while gitleaks scanned it: `.gitleaksignore`, and a report of gitleaks as a baseline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from strongroom.scanner.seen import Seen

FILE_NAME = ".gitleaksignore"
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class GitleaksIgnore:
    """The places of a `.gitleaksignore`: (path, rule, line), and, for those that name one, the commit.

    Rules of gitleaks have ids of its own. Where an entry names a rule that is none of `known`, its place is accepted whatever rule of ours finds it.
    """

    places: frozenset[tuple[str, str, int]]
    in_commits: frozenset[tuple[str, str, str, int]]
    known: frozenset[str] = frozenset()

    def ignores(self, seen: Seen) -> bool:
        """Whether a place is accepted."""
        places = [(seen.path, name, seen.line) for name in (seen.rule, "")]
        return any(place in self.places or (seen.commit, *place) in self.in_commits for place in places)


def read_gitleaks_ignore(text: str, known: Iterable[str] = ()) -> GitleaksIgnore:
    """What the file says; `known` are the ids of the rules that scan. A line that is no place is a `ValueError` with its number."""
    ours = frozenset(known)
    places: set[tuple[str, str, int]] = set()
    in_commits: set[tuple[str, str, str, int]] = set()
    for number, raw in enumerate(text.split("\n"), 1):
        entry = raw.partition("#")[0].strip() if raw.lstrip().startswith("#") else raw.split(" #")[0].strip()
        if not entry:
            continue
        commit, path, rule, line = _place(entry, number)
        name = rule if rule in ours else ""
        if commit:
            in_commits.add((commit, path, name, line))
        else:
            places.add((path, name, line))
    return GitleaksIgnore(frozenset(places), frozenset(in_commits), ours)


def _place(entry: str, number: int) -> tuple[str, str, str, int]:
    rest, _, line = entry.rpartition(":")
    rest, _, rule = rest.rpartition(":")
    if not rest or not rule or not line.isdecimal() or len(line) > 9:
        raise ValueError(f"{FILE_NAME}, line {number}: an entry is file:rule:line or commit:file:rule:line")
    first, colon, path = rest.partition(":")
    if colon and _COMMIT.fullmatch(first):
        return first, path, rule, int(line)
    return "", rest, rule, int(line)


def report_fingerprints(report: bytes, fingerprint: Callable[[bytes], str]) -> frozenset[str] | None:
    """The fingerprints of the secrets in a report of gitleaks (JSON); None where it is no such report. What gitleaks redacted is not in it."""
    try:
        findings = json.loads(report)
    except (ValueError, RecursionError):
        return None
    is_report = isinstance(findings, list) and all(isinstance(one, dict) and "RuleID" in one for one in findings)
    if not is_report or not findings:
        return None
    secrets = (one.get("Secret") for one in findings)
    return frozenset(fingerprint(secret.encode("utf-8", "surrogatepass")) for secret in secrets if _is_whole(secret))


def _is_whole(secret: object) -> bool:
    return isinstance(secret, str) and bool(secret) and not secret.endswith(("REDACTED", "..."))
