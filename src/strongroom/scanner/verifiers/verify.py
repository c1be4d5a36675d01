"""Verifies the findings of a scan: each distinct secret once, each provider at its pace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from strongroom.scanner.finding import Finding
from strongroom.scanner.verifiers.builtin import BY_NAME
from strongroom.scanner.verifiers.verifier import Outcome, State, Verifier

PAUSE = 0.5
"""Seconds between two questions to the same host, at least."""
_SLOW_DOWN = "asked to slow down"


class Asks(Protocol):
    """Whoever asks a provider."""

    def ask(self, verifier: Verifier, secret: bytes) -> Outcome:
        """What the provider says of the secret."""
        ...


@dataclass(slots=True)
class Verification:
    """Verifies the findings of one run. `clock` counts seconds, `sleep` waits for some."""

    asker: Asks
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    _known: dict[tuple[str, bytes], Outcome] = field(default_factory=dict, repr=False)
    _asked_at: dict[str, float] = field(default_factory=dict)
    _resting: set[str] = field(default_factory=set)

    def __call__(self, findings: Sequence[Finding]) -> None:
        """Write into each of `findings` whose rule has a verifier what its provider says, and why."""
        for finding in findings:
            verifier = BY_NAME.get(finding.rule.verifier)
            if verifier is not None:
                outcome = self._outcome(verifier, finding.value)
                finding.verification = outcome.state.value
                finding.reasons = (*finding.reasons, f"verification: {outcome.reason}")

    def _outcome(self, verifier: Verifier, secret: bytes) -> Outcome:
        known = self._known.get((verifier.name, secret))
        if known is not None:
            return known
        if verifier.host in self._resting:
            return Outcome(State.UNKNOWN, f"{verifier.host} {_SLOW_DOWN}, and is not asked again")
        self._wait_for(verifier.host)
        outcome = self._known[verifier.name, secret] = self.asker.ask(verifier, secret)
        if outcome.reason.endswith(_SLOW_DOWN):
            self._resting.add(verifier.host)
        return outcome

    def _wait_for(self, host: str) -> None:
        last = self._asked_at.get(host)
        if last is not None and (left := last + PAUSE - self.clock()) > 0:
            self.sleep(left)
        self._asked_at[host] = self.clock()
