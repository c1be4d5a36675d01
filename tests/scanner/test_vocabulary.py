"""What is scanned may be a secret: no word of the scanner's vocabulary shows it by accident."""

from __future__ import annotations

from strongroom.scanner.candidate import Candidate, Verdict
from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.fragment import Fragment, Whole
from strongroom.scanner.rule import Rule

CANARY = b"a value that nobody may see"
RULE = Rule("demo", "Demonstration", r"(?P<secret>a value[a-z ]+)")


def test_no_repr_shows_what_is_scanned() -> None:
    candidate = Candidate(RULE, "a.txt", b"x = " + CANARY, 4, 4 + len(CANARY))
    finding = Finding(RULE, "0" * 64, CANARY, 1.0, ("it looks like one",), [Occurrence("a.txt", 1, 1)])
    shown = repr((Fragment("a.txt", CANARY), candidate, finding, Verdict(0.5)))
    assert CANARY.decode() not in shown
    assert candidate.value == CANARY


def test_a_worker_that_is_alone_claims_everything() -> None:
    assert list(Whole().claim([1, 2, 3])) == [1, 2, 3]
