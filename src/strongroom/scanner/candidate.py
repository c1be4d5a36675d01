"""What a rule matched, before anybody has judged it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from strongroom.scanner.rule import Rule


class Candidate(NamedTuple):
    """A match of one rule: the value, and everything that a judgement may look at.

    `start` and `end` are the value's place in `data`, the bytes of the fragment (or of a decoded layer of it); `name` is the variable,
    key or header that holds it, where the rule knows one. `layers` names the encodings it was found under, outermost first.
    """

    rule: Rule
    path: str
    data: bytes
    start: int
    end: int
    name: bytes = b""
    layers: tuple[str, ...] = ()

    @property
    def value(self) -> bytes:
        """What would be the secret."""
        return self.data[self.start : self.end]

    def __repr__(self) -> str:
        return f"<Candidate of {self.rule.id} in {self.path!r} at {self.start}>"


class Verdict(NamedTuple):
    """How likely a candidate is a secret, from 0 to 1, and why, in words that a person can check."""

    score: float
    reasons: tuple[str, ...] = ()


class Judge(Protocol):
    """Tells secrets from what only looks like them."""

    def judge(self, candidate: Candidate, least: float = 0.0) -> Verdict:
        """The verdict over `candidate`, with reasons if its score is at least `least`. Pure: the same candidate always gets the same."""
        ...
