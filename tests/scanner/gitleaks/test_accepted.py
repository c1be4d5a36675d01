from __future__ import annotations

import json

import pytest

from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.gitleaks.accepted import read_gitleaks_ignore, report_fingerprints
from strongroom.scanner.seen import Seen

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_places_with_and_without_a_commit_are_read() -> None:
    ignore = read_gitleaks_ignore(f"# made-up keys\na/b.py:our-rule:7\n\n{COMMIT}:c.py:our-rule:9\n", ["our-rule"])
    assert ignore.ignores(Seen("our-rule", "a/b.py", 7))
    assert not ignore.ignores(Seen("our-rule", "a/b.py", 8))
    assert not ignore.ignores(Seen("other", "a/b.py", 7))
    assert ignore.ignores(Seen("our-rule", "c.py", 9, commit=COMMIT))
    assert not ignore.ignores(Seen("our-rule", "c.py", 9))


def test_a_place_that_a_rule_of_gitleaks_found_is_accepted_whatever_finds_it_now() -> None:
    ignore = read_gitleaks_ignore("a.py:their-rule:3", ["our-rule"])
    assert ignore.ignores(Seen("our-rule", "a.py", 3))


def test_paths_into_archives_and_with_colons_are_read() -> None:
    ignore = read_gitleaks_ignore("a.zip!x:y.py:r:1")
    assert ignore.ignores(Seen("r", "a.zip!x:y.py", 1))


@pytest.mark.parametrize(
    "line", ["nonsense", "a.py:3", "a.py:r:x", ":r:3", "a.py::3", "a.py:r:-1", "a:b:99999999999999"]
)
def test_a_line_that_is_no_place_is_named_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_gitleaks_ignore(f"\n{line}")


def test_a_report_becomes_a_baseline_of_contents() -> None:
    fingerprint = Fingerprinter().fingerprint
    report = [{"RuleID": "a", "Secret": "one"}, {"RuleID": "b", "Secret": "REDACTED"}, {"RuleID": "c"}]
    assert report_fingerprints(json.dumps(report).encode(), fingerprint) == frozenset([fingerprint(b"one")])


@pytest.mark.parametrize("report", [b"", b"{}", b"[1]", b"[]", b"[" * 100_000, b'[{"x": 1}]', b"\xff"])
def test_what_is_no_report_is_told_apart(report: bytes) -> None:
    assert report_fingerprints(report, Fingerprinter().fingerprint) is None
