"""A judge that is made when there is something to judge: most small files have nothing."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.scanner.candidate import Candidate, Judge, Verdict


class LateJudge:
    """Judges as the judge does that `make` makes."""

    def __init__(self, make: Callable[[], Judge]) -> None:
        self._make = make
        self._judge: Judge | None = None

    def load(self) -> Judge:
        """The judge itself."""
        if self._judge is None:
            self._judge = self._make()
        return self._judge

    def judge(self, candidate: Candidate, least: float = 0.0) -> Verdict:
        """The verdict over `candidate`, with reasons if its score is at least `least`."""
        return (self._judge or self.load()).judge(candidate, least)
