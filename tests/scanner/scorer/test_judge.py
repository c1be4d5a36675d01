from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.rules.samples import expand

from strongroom.scanner.candidate import Candidate
from strongroom.scanner.generic.catalogue import GENERIC_RULES
from strongroom.scanner.levels import THRESHOLDS, Level
from strongroom.scanner.rule import Kind, Rule
from strongroom.scanner.scorer.features import LONGEST_VALUE, WINDOW
from strongroom.scanner.scorer.judge import LinearJudge, standard_judge

JUDGE = standard_judge()
GENERIC = {rule.id: rule for rule in GENERIC_RULES}
ASSIGNED = GENERIC["assigned-double-quoted"]
FORMAT = Rule("a-token", "A token", "tok_[0-9a-z]+")
PROVEN = Rule("proven", "A token with a checksum", "tok_[0-9a-z]+", checksum=lambda _: True)
DECODED = Rule("decoded", "A token with something inside", "tok_[0-9a-z]+", structure=lambda _: True)
PLAUSIBLE = Rule("plausible", "A token of random letters", "tok_[0-9a-z]+", plausible=lambda _: True)


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    """Any place in any bytes, under any rule and name."""
    data = draw(st.binary(max_size=600) | st.text(max_size=300).map(str.encode))
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, len(data)))
    name = draw(st.binary(max_size=60) | st.just(data[max(0, start - 9) : max(0, start - 3)]))
    path = draw(st.text(max_size=60))
    return Candidate(draw(st.sampled_from(GENERIC_RULES) | st.just(FORMAT)), path, data, start, end, name)


def assigned(value: bytes, name: bytes = b"password", path: str = "src/app.py") -> Candidate:
    """`name = "value"` in a file."""
    before = b"import os\n\n" + name + b' = "'
    return Candidate(ASSIGNED, path, before + value + b'"\n', len(before), len(before) + len(value), name)


@given(candidates())
def test_every_candidate_gets_a_chance_and_reasons_whatever_its_bytes(candidate: Candidate) -> None:
    verdict = JUDGE.judge(candidate)
    assert 0 <= verdict.score <= 1
    assert all(reason.isascii() for reason in verdict.reasons)


@given(candidates())
def test_the_same_candidate_always_gets_the_same_verdict(candidate: Candidate) -> None:
    fresh = LinearJudge(JUDGE.model)
    assert JUDGE.judge(candidate) == fresh.judge(candidate) == fresh.judge(candidate)


@given(candidates(), st.binary(max_size=50), st.binary(max_size=50))
def test_what_is_far_from_a_value_does_not_count(candidate: Candidate, before: bytes, after: bytes) -> None:
    padding = b"\n" * (WINDOW + LONGEST_VALUE)
    data = padding + candidate.data + padding
    start, end = candidate.start + len(padding), candidate.end + len(padding)
    near = Candidate(candidate.rule, candidate.path, data, start, end, candidate.name)
    shift = len(before)
    far = Candidate(candidate.rule, candidate.path, before + data + after, start + shift, end + shift, candidate.name)
    assert JUDGE.judge(near) == JUDGE.judge(far)


class CountingBytes(bytes):
    """Bytes that add up how many of them are read by slices and searches."""

    read = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.read += len(found) if isinstance(found, bytes) else 1
        return found

    def rfind(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        self.read += self._between(start, end)
        return super().rfind(sub, start, end)

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        self.read += self._between(start, end)
        return super().find(sub, start, end)

    def count(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        self.read += self._between(start, end)
        return super().count(sub, start, end)

    def _between(self, start: int, end: int | None) -> int:
        return (len(self) if end is None else min(end, len(self))) - start


def test_a_judgement_reads_no_more_of_a_line_of_ten_megabytes_than_of_a_short_one() -> None:
    most = 4 * (WINDOW + LONGEST_VALUE)
    for size in (10_000, 10_000_000):
        data = CountingBytes(b"x" * size + b'password = "' + b"y" * size + b'"' + b"z" * size)
        candidate = Candidate(ASSIGNED, "a.js", data, size + 12, 2 * size + 12, b"password")
        JUDGE.judge(candidate)
        assert 0 < data.read <= most


def test_reasons_hold_nothing_of_the_value_its_name_or_the_path() -> None:
    random = Random(1)
    for _ in range(50):
        value = expand("{base62:12-40}", random)
        verdict = JUDGE.judge(assigned(value.encode(), b"zq_password_zq", "qzq/wvw.py"))
        text = " ".join(verdict.reasons)
        assert verdict.reasons
        assert not any(part in text for part in (value, value[:8], "zq", "wvw"))


def test_a_secret_is_told_from_a_reference_and_both_verdicts_say_why() -> None:
    secret = JUDGE.judge(assigned(b"kX8!vTq2mZw4"))
    reference = JUDGE.judge(assigned(b"${DB_PASSWORD}"))
    assert secret.score >= 0.5 > reference.score
    assert secret.reasons


def test_a_format_of_a_provider_passes_unless_it_shows_that_it_is_a_placeholder() -> None:
    def verdict(value: bytes, rule: Rule = FORMAT) -> float:
        return JUDGE.judge(Candidate(rule, "readme.md", b"key: " + value, 5, 5 + len(value))).score

    assert verdict(b"tok_8f3kq0zx71mvb2ny5d") >= 0.5
    for placeholder in (
        b"tok_EXAMPLE8f3kq0zx7",
        b"tok_xxxxxxxxxxxxxxxx",
        b"tok_8f3k...",
        b"tok_0000000000000000000",
        b"tok_abababababababab",
    ):
        assert verdict(placeholder) < 0.5, placeholder
        assert verdict(placeholder, PROVEN) >= 0.5, placeholder


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (PROVEN, "its checksum holds"),
        (DECODED, "what is encoded in it is what its format says"),
        (PLAUSIBLE, "it has the format of its provider"),
        (FORMAT, "it has the format of its provider"),
    ],
    ids=lambda value: getattr(value, "id", None),
)
def test_a_format_is_only_said_to_be_proven_where_something_proves_it(rule: Rule, reason: str) -> None:
    verdict = JUDGE.judge(Candidate(rule, "a.py", b"tok_8f3kq0zx71mvb2ny5d", 0, 22))
    assert verdict.reasons == (reason,)


def test_folders_above_the_root_of_a_scan_say_nothing() -> None:
    below = LinearJudge(JUDGE.model, "/srv/spec/secret/test/")
    value, path = b"kX8!vTq2mZw4", "docs/app.py"
    deep = assigned(value, path=f"/srv/spec/secret/test/{path}")
    assert below.judge(deep) == JUDGE.judge(assigned(value, path=path))
    assert JUDGE.judge(deep) != JUDGE.judge(assigned(value, path=path))


def test_an_empty_value_is_no_secret() -> None:
    assert JUDGE.judge(Candidate(ASSIGNED, "a.py", b'password = ""', 12, 12, b"password")).score == 0


def test_what_only_points_at_something_is_never_reported_as_beyond_doubt() -> None:
    least = THRESHOLDS[Level.PROVIDER][Kind.GENERIC]
    text = b'"user_token_id": "4e2c1b0a-93d7-4f6e-8a21-5b7c9d0e1f32"'
    found = JUDGE.judge(Candidate(GENERIC["uuid"], "src/app.json", text, 18, 54))
    assert THRESHOLDS[Level.DEFAULT][Kind.GENERIC] <= found.score < least
