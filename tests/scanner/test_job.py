"""One scan from a source to a report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from strongroom.scanner.assembly import Wanted
from strongroom.scanner.baseline import Entry
from strongroom.scanner.finding import Finding
from strongroom.scanner.findings import Place
from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.fragment import Fragment, Share, Source
from strongroom.scanner.job import Job, known_from
from strongroom.scanner.problem import Problem
from strongroom.scanner.reports.report import Report
from strongroom.scanner.rule import Rule
from strongroom.scanner.scan import ScanFailed

RULE = Rule("acme", "Acme", r"\bacme_(?P<secret>[a-z]{8})\b", ("acme_",))
NOW = dt.datetime(2026, 11, 30, 12, 0, 7, tzinfo=dt.UTC)
TEXTS = {"a.py": b"acme_abcdefgh\n", "b.py": b"nothing\n", "c.py": b"\nacme_abcdefgh acme_ijklmnop\n"}


@dataclass
class Texts:
    """Texts by their names as a source, which may meet problems, and may be slain in a worker."""

    texts: Mapping[str, bytes]
    problems: list[Problem] = field(default_factory=list)
    unreadable: Sequence[str] = ()
    fatal: bool = False

    def fragments(self, share: Share) -> Iterator[Fragment]:
        for name in share.claim(sorted(self.texts)):
            if self.fatal:
                import os

                os._exit(9)
            if name in self.unreadable:
                self.problems.append(Problem(name, "not read"))
                continue
            yield Fragment(name, self.texts[name])


@dataclass
class Objects(Texts):
    """The same as objects of a history, each with its name as its id."""

    asked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def scope(self) -> str:
        return "here"

    def object_ids(self) -> Iterable[bytes]:
        return [_id(name) for name in self.texts]

    def leave_out(self, known: Container[str]) -> int:
        self.left = [name for name in self.texts if _id(name).hex() not in known]
        return len(self.texts) - len(self.left)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        for name in share.claim(self.left or sorted(self.texts)):
            yield Fragment(f"<blob {_id(name).hex()[:12]}>", self.texts[name], 1, _id(name).hex())

    def attribute(self, object_ids: Sequence[str]) -> Mapping[str, Sequence[Place]]:
        self.asked = list(object_ids)
        return {
            _id(name).hex(): [Place(name, "c0ffee", "A", "2026-01-01T00:00:00+00:00", in_head=True)]
            for name in self.texts
        }


def _id(name: str) -> bytes:
    return name.encode().ljust(20, b".")


def job(**changes: object) -> Job:
    return replace(Job(Wanted((RULE,)), lambda: NOW, version="1.2"), **changes)  # type: ignore[arg-type]  # its own fields


def run(given: Job, source: Source, problems: list[Problem] | None = None) -> Report:
    notes: list[str] = []
    return given.run(source, [] if problems is None else problems, notes.append, lambda *_: None)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_report_has_findings_counts_and_times(jobs: int) -> None:
    report = run(job(wanted=Wanted((RULE,), jobs=jobs)), Texts(TEXTS))
    assert [(one.value, [place.path for place in one.occurrences]) for one in report.findings] == [
        (b"abcdefgh", ["a.py", "c.py"]),
        (b"ijklmnop", ["c.py"]),
    ]
    assert (report.fragments, report.size) == (3, sum(map(len, TEXTS.values())))
    assert (report.started, report.version) == ("2026-11-30T12:00:07", "1.2")


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_could_not_be_read_is_a_failure_of_the_report(jobs: int) -> None:
    problems: list[Problem] = []
    source = Texts(TEXTS, problems, unreadable=["b.py"])
    report = run(job(wanted=Wanted((RULE,), jobs=jobs)), source, problems)
    assert [problem.path for problem in report.failures] == ["b.py"]
    assert len(report.findings) == 2


def test_a_worker_that_dies_fails_the_scan() -> None:
    with pytest.raises(ScanFailed, match="died"):
        run(job(wanted=Wanted((RULE,), jobs=2)), Texts(TEXTS, fatal=True))


def test_what_is_known_is_counted_and_left_out() -> None:
    known = Fingerprinter().fingerprint(b"abcdefgh")
    report = run(job(known={known: Entry(known)}), Texts(TEXTS))
    assert [one.value for one in report.findings] == [b"ijklmnop"]
    assert report.in_baseline == 1


def test_any_of_the_ignores_may_allow_a_place() -> None:
    ignores = (lambda seen: seen.path == "a.py", lambda seen: seen.secret == b"ijklmnop")
    report = run(job(ignores=ignores), Texts(TEXTS))
    assert [[place.path for place in one.occurrences] for one in report.findings] == [["c.py"]]
    assert report.allowed == 2


def test_a_verifier_sees_the_findings_before_they_are_reported() -> None:
    def verify(findings: Sequence[Finding]) -> None:
        for finding in findings:
            finding.verification = "dead"

    assert {one.verification for one in run(job(verify=verify), Texts(TEXTS)).findings} == {"dead"}


def test_progress_adds_up() -> None:
    told: list[tuple[int, int]] = []
    job().run(Texts(TEXTS), [], lambda _: None, lambda *now: told.append(now))
    assert told[-1] == (3, sum(map(len, TEXTS.values())))
    assert told == sorted(told)


def test_only_objects_with_findings_are_looked_up_in_the_history() -> None:
    source = Objects(TEXTS)
    report = run(job(), source)
    assert source.asked == sorted(_id(name).hex() for name in ("a.py", "c.py"))
    assert {place.path for one in report.findings for place in one.occurrences} == {"a.py", "c.py"}
    assert {place.commit for one in report.findings for place in one.occurrences} == {"c0ffee"}


def test_clean_objects_are_read_once_and_others_each_time(tmp_path: Path) -> None:
    ordered = job(wanted=Wanted((RULE,), cache=tmp_path))
    first = run(ordered, Objects(TEXTS))
    again = Objects(TEXTS)
    second = run(ordered, again)
    assert again.left == ["a.py", "c.py"]
    assert [one.fingerprint for one in first.findings] == [one.fingerprint for one in second.findings]
    assert [problem.is_note for problem in second.problems] == [True]
    everything = Objects(TEXTS)
    run(job(wanted=Wanted((RULE,))), everything)
    assert everything.left == []


def test_a_baseline_of_another_tool_is_read_by_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('[{"RuleID": "x", "Secret": "abcdefgh"}]')
    assert list(known_from(path, Fingerprinter())) == [Fingerprinter().fingerprint(b"abcdefgh")]
    assert known_from(None, Fingerprinter()) == {}
