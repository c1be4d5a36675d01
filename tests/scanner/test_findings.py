"""From hits to findings."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner import findings as module
from strongroom.scanner.examine import Hit
from strongroom.scanner.findings import Collector, Place
from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.known.rule import KNOWN_VALUE
from strongroom.scanner.rule import Kind, Rule, Severity
from strongroom.scanner.seen import Ignores, Seen

TODAY = dt.date(2026, 11, 30)
GUESS = Rule("guess", "A guess", "x", kind=Kind.GENERIC, severity=Severity.MEDIUM)
FORMAT = Rule("format", "A format", "x", provider="Acme", severity=Severity.HIGH)
MINOR = Rule("minor", "A minor thing", "x", severity=Severity.INFO)
RULES = (GUESS, FORMAT, MINOR, KNOWN_VALUE)
FINGERPRINTER = Fingerprinter()
VALUE = b"the-value"
PRINT = FINGERPRINTER.fingerprint(VALUE)


def hit(
    rule: int = 0,
    value: bytes = VALUE,
    path: str = "a.py",
    line: int = 1,
    *,
    column: int = 1,
    score: float = 0.8,
    object_id: str = "",
    text: bytes = b"key = the-value",
    partner: bytes = b"",
) -> Hit:
    end = column + len(value)
    return Hit(
        rule, value, path, line, line, column, end, object_id, (), score, ("why",), text, partner, b"key = " + value
    )


def collector(known: frozenset[str] = frozenset(), ignores: Ignores | None = None) -> Collector:
    return Collector(RULES, FINGERPRINTER, TODAY, known, ignores)


def test_one_secret_in_several_places_is_one_finding_in_order_of_place() -> None:
    made = collector()
    for one in (hit(path="b.py"), hit(line=9), hit(line=2), hit(line=2), hit(value=b"another")):
        made.add(one)
    [first, second] = sorted(made.findings(), key=lambda one: -len(one.occurrences))
    assert [(one.path, one.line) for one in first.occurrences] == [("a.py", 2), ("a.py", 9), ("b.py", 1)]
    assert (first.fingerprint, first.value, len(second.occurrences)) == (PRINT, VALUE, 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_surest_rule_names_it_whichever_comes_first(order: tuple[int, int]) -> None:
    made = collector()
    for rule in order:
        made.add(hit(rule, line=rule + 1, score=0.9 - rule / 10))
    [finding] = made.findings()
    assert (finding.rule.id, finding.score) == ("format", 0.8)


def test_of_two_guesses_the_higher_score_counts() -> None:
    made = collector()
    for score in (0.6, 0.95, 0.7):
        made.add(hit(score=score, line=int(score * 100)))
    assert [finding.score for finding in made.findings()] == [0.95]


def test_the_other_half_is_kept_wherever_it_was_seen() -> None:
    made = collector()
    for one in (hit(line=1), hit(line=2, partner=b"the-id"), hit(line=3)):
        made.add(one)
    assert [finding.partner for finding in made.findings()] == [b"the-id"]


def test_severity_comes_before_score_and_score_before_place() -> None:
    made = collector()
    made.add(hit(2, b"minor", score=1.0))
    made.add(hit(0, b"low", score=0.6))
    made.add(hit(0, b"sure", score=0.9, path="z.py"))
    made.add(hit(1, b"format", score=0.5))
    assert [finding.value for finding in made.findings()] == [b"format", b"sure", b"low", b"minor"]


def test_marks_that_allow_are_counted_and_those_that_do_not_say_why() -> None:
    made = collector()
    made.add(hit(text=b'key = the-value  # strongroom:allow reason="made up"'))
    made.add(hit(value=b"other", text=b"key = other  # strongroom:allow"))
    [finding] = made.findings()
    assert made.allowed == 1
    assert finding.value == b"other"
    assert any("no reason" in reason for reason in finding.reasons)


def test_what_a_baseline_knows_is_counted_once_and_not_reported() -> None:
    made = collector(frozenset({PRINT}))
    for line in (1, 2, 3):
        made.add(hit(line=line))
    assert made.findings() == []
    assert made.in_baseline == {PRINT}


def test_ignores_see_all_that_is_known_of_a_place() -> None:
    asked: list[Seen] = []

    def ignores(seen: Seen) -> bool:
        asked.append(seen)
        return seen.path == "b.py"

    made = collector(ignores=ignores)
    made.add(hit())
    made.add(hit(path="b.py"))
    assert [one.path for finding in made.findings() for one in finding.occurrences] == ["a.py"]
    assert made.allowed == 1
    assert asked[0] == Seen("guess", "a.py", 1, PRINT, "", VALUE, b"key = the-value", b"key = the-value")


class TestHistories:
    """Objects, of which it is told afterwards where they stand."""

    PLACES = (
        Place("src/a.py", "c1", "A", "2026-01-01T00:00:00+00:00", in_head=True),
        Place("b.zip", "c2", "B", "2026-02-01T00:00:00+00:00", in_head=False),
    )

    def test_an_object_with_several_names_is_reported_at_each(self) -> None:
        made = collector()
        made.add(hit(path="<blob 1>!/in/x.py", object_id="1"))
        assert made.object_ids() == ["1"]
        made.attribute({"1": self.PLACES})
        [finding] = made.findings()
        assert [(one.path, one.commit, one.in_head) for one in finding.occurrences] == [
            ("b.zip!/in/x.py", "c2", False),
            ("src/a.py!/in/x.py", "c1", True),
        ]

    def test_an_object_that_no_commit_holds_keeps_its_own_name(self) -> None:
        made = collector()
        made.add(hit(path="<blob 1>", object_id="1"))
        made.attribute({})
        assert [one.path for finding in made.findings() for one in finding.occurrences] == ["<blob 1>"]

    def test_ignores_are_asked_again_with_path_commit_and_words(self) -> None:
        def ignores(seen: Seen) -> bool:
            return (seen.path, seen.commit, seen.secret, seen.match) == ("b.zip", "c2", VALUE, b"key = the-value")

        made = collector(ignores=ignores)
        made.add(hit(path="<blob 1>", object_id="1"))
        made.attribute({"1": self.PLACES})
        assert [one.path for finding in made.findings() for one in finding.occurrences] == ["src/a.py"]
        assert made.allowed == 1

    def test_a_finding_without_a_place_left_is_none(self) -> None:
        made = collector(ignores=lambda seen: seen.commit != "")
        made.add(hit(path="<blob 1>", object_id="1"))
        made.attribute({"1": self.PLACES})
        assert made.findings() == []

    def test_words_are_not_kept_without_end_and_what_has_none_is_reported(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_MOST_WORDING", 100)
        made = collector(ignores=lambda seen: seen.commit != "" and b"the-value" in seen.text)
        for number in range(10):
            made.add(hit(path="<blob>", line=number, object_id="1"))
        made.attribute({"1": self.PLACES[:1]})
        [finding] = made.findings()
        assert 0 < len(finding.occurrences) < 10


class TestKnownValues:
    """Where one of ours stands, nothing else is said of the same bytes."""

    def test_a_guess_about_a_part_of_it_is_dropped(self) -> None:
        made = collector()
        made.add(hit(0, b"value", column=15))
        made.add(hit(3, b"known-value-1", column=10))
        assert [finding.value for finding in made.findings()] == [b"known-value-1"]

    def test_what_stands_beside_it_or_elsewhere_stays(self) -> None:
        made = collector()
        made.add(hit(3, b"known", column=10))
        made.add(hit(0, b"beside", column=15))
        made.add(hit(0, b"known-of-another", path="b.py", column=10))
        assert {finding.value for finding in made.findings()} == {b"known", b"beside", b"known-of-another"}


def test_places_of_one_secret_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OCCURRENCES", 5)
    made = collector()
    for line in range(50):
        made.add(hit(line=line))
    assert [len(finding.occurrences) for finding in made.findings()] == [5]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([b"one", b"two", b"three"]), st.integers(1, 4)), max_size=30)
)
def test_the_order_of_hits_does_not_matter(rows: list[tuple[int, bytes, int]]) -> None:
    def told(given: list[tuple[int, bytes, int]]) -> list[tuple[str, bytes, list[int]]]:
        made = collector()
        for rule, value, line in given:
            made.add(hit(rule, value, line=line))
        return [(one.rule.id, one.value, [place.line for place in one.occurrences]) for one in made.findings()]

    assert told(rows) == told(rows[::-1])
