"""Secrets in names, of files and of people: a report that does not show secrets does not show them there either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.names import may_hold_secret
from strongroom.scanner.problem import Problem
from strongroom.scanner.reports.masking import shown

_STARS = "***"


class HiddenNames:
    """The names that hold a secret of `findings`, each with what is to be hidden in it."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._secrets: dict[str, set[str]] = {}
        for finding in findings:
            value = shown(finding.value)
            if not may_hold_secret(value):
                continue  # words stand in names and in values without being secret in either
            for one in finding.occurrences:
                for name in (one.path, one.address, one.author):
                    if value in name:
                        self._secrets.setdefault(name, set()).add(value)

    def hide(self, findings: Iterable[Finding]) -> None:
        """Put stars for the secrets in the names of all places, in addresses, and in names of authors."""
        if self._secrets:
            for finding in findings:
                finding.occurrences = [self._placed(one) for one in finding.occurrences]

    def hidden(self, name: str) -> str:
        """A name as it may be shown."""
        secrets = {secret for step in _steps(name) for secret in self._secrets.get(step, ())} if self._secrets else ()
        for secret in sorted(secrets, key=len, reverse=True):
            name = name.replace(secret, _STARS)
        return name

    def told(self, problems: Sequence[Problem]) -> list[Problem]:
        """Problems with names as they may be shown."""
        return [replace(problem, path=self.hidden(problem.path)) for problem in problems]

    def _placed(self, one: Occurrence) -> Occurrence:
        return replace(
            one, path=self.hidden(one.path), address=self.hidden(one.address), author=self.hidden(one.author)
        )


def _steps(name: str) -> Iterator[str]:
    """A name, and those of the containers that it is in."""
    yield name
    at = name.find("!/")
    while at >= 0:
        yield name[:at]
        at = name.find("!/", at + 2)
