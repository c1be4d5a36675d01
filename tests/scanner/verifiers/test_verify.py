from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.rule import Rule
from strongroom.scanner.rules.builtin import PROVIDER_RULES
from strongroom.scanner.verifiers.builtin import BY_NAME
from strongroom.scanner.verifiers.verifier import Outcome, State, Verifier
from strongroom.scanner.verifiers.verify import PAUSE, Verification


@dataclass
class Provider:
    outcome: Outcome = field(default_factory=lambda: Outcome(State.LIVE, "api.github.com answered 200"))
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def ask(self, verifier: Verifier, secret: bytes) -> Outcome:
        self.asked.append((verifier.host, secret))
        return self.outcome


@dataclass
class Time:
    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def finding(value: bytes, verifier: str = "github") -> Finding:
    rule = Rule("some-rule", "A rule", "x", verifier=verifier)
    return Finding(rule, "print", value, 1.0, occurrences=[Occurrence("https://evil.example/x", 1, 1)])


def verified(provider: Provider, time: Time, *findings: Finding) -> None:
    Verification(provider, time.clock, time.sleep)(findings)


def test_a_finding_learns_whether_it_lives_and_why() -> None:
    found = finding(b"one")
    verified(Provider(), Time(), found)
    assert found.verification == "live"
    assert found.reasons == ("verification: api.github.com answered 200",)


def test_the_same_secret_is_asked_about_once() -> None:
    provider = Provider()
    verified(provider, Time(), finding(b"one"), finding(b"one"), finding(b"two"))
    assert provider.asked == [("api.github.com", b"one"), ("api.github.com", b"two")]


@pytest.mark.parametrize("verifier", ["", "nobody", "https://evil.example", "evil.example"])
def test_a_rule_without_a_verifier_of_ours_causes_no_request(verifier: str) -> None:
    provider, found = Provider(), finding(b"one", verifier)
    verified(provider, Time(), found)
    assert provider.asked == []
    assert found.verification == ""


def test_a_host_is_asked_at_a_pace_and_others_meanwhile() -> None:
    time = Time()
    verified(Provider(), time, finding(b"one"), finding(b"two"), finding(b"three", "stripe"))
    assert time.slept == [PAUSE]


def test_a_host_that_asked_to_slow_down_is_left_in_peace() -> None:
    provider = Provider(Outcome(State.UNKNOWN, "api.github.com asked to slow down"))
    first, second = finding(b"one"), finding(b"two")
    verified(provider, Time(), first, second)
    assert len(provider.asked) == 1
    assert second.verification == "unknown"


def test_every_verifier_that_a_rule_names_exists_and_each_is_used() -> None:
    named = {rule.verifier for rule in PROVIDER_RULES if rule.verifier}
    assert named == set(BY_NAME)
