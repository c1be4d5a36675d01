"""Every format over the same report: no secret in it unless revealed, and nothing that a hostile file name could do."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from tests.scanner.reports.conftest import HOSTILE_NAMES, SECRET

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.reports.formats import FORMATS, formatter
from strongroom.scanner.reports.report import Report

REVEALING = {"text", "json", "jsonl", "csv", "junit", "html"}
ALLOWED_TAGS = frozenset(
    ["html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "article", "code", "small", "ul", "li"]
)
PLACES = len(HOSTILE_NAMES) + 2


def written(report: Report, name: str) -> str:
    return "".join(formatter(name)(report))


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_holds_the_secret(report: Report, name: str) -> None:
    assert SECRET.decode() not in written(report, name)
    assert "hunter22" not in written(report, name)


@pytest.mark.parametrize("name", FORMATS)
def test_only_formats_that_are_read_by_their_asker_reveal(report: Report, name: str) -> None:
    assert (SECRET.decode() in written(replace(report, reveal=True), name)) == (name in REVEALING)


@pytest.mark.parametrize("name", FORMATS)
def test_redacted_not_even_the_beginning_is_there(report: Report, name: str) -> None:
    assert "zzSE" not in written(replace(report, redact=True), name)


@pytest.mark.parametrize("name", FORMATS)
def test_no_name_of_a_file_moves_the_cursor_or_turns_the_text(report: Report, name: str) -> None:
    text = written(report, name)

    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_encoded_and_is_whole_without_findings(report: Report, name: str) -> None:
    written(report, name).encode("utf-8", "backslashreplace")
    assert written(replace(report, findings=[], problems=[]), name) or name in {"jsonl", "github"}


def test_json_has_one_object_for_each_occurrence(report: Report) -> None:
    rows = json.loads(written(report, "json"))

    assert [json.loads(line) for line in written(report, "jsonl").splitlines()] == rows
    assert [row["file"] for row in rows] == [*HOSTILE_NAMES, "src/app.py", "plain.txt"]
    assert {"file", "line", "end_line", "rule", "fingerprint", "commit"} <= rows[0].keys()
    assert "value" not in rows[0]
    assert rows[-2]["commit"].startswith("c0ffee")
    assert rows[-2]["in_head"] is False


def test_revealed_json_has_the_value(report: Report) -> None:
    rows = json.loads(written(replace(report, reveal=True), "json"))

    assert {row["value"] for row in rows} == {SECRET.decode(), "hunter22"}


def test_json_without_findings_is_an_empty_array(report: Report) -> None:
    assert json.loads(written(replace(report, findings=[]), "json")) == []


def test_csv_has_no_cell_that_is_a_formula(report: Report) -> None:
    table = list(csv.reader(io.StringIO(written(report, "csv").encode("utf-8", "replace").decode(), newline="")))

    assert len(table) == PLACES + 1
    assert {len(cells) for cells in table} == {len(table[0])}
    assert not [cell for cells in table for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_csv_has_no_cell_that_is_a_formula_where_semicolons_part_cells(report: Report) -> None:
    table = csv.reader(
        io.StringIO(written(report, "csv").encode("utf-8", "replace").decode(), newline=""), delimiter=";"
    )

    assert not [cell for cells in table for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("name", ["=1+1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)"])
def test_a_formula_is_one_in_any_width(report: Report, name: str) -> None:
    finding = report.findings[1]
    finding.occurrences = [Occurrence(name, 1, 1)]
    [_, row] = csv.reader(io.StringIO(written(replace(report, findings=[finding]), "csv")))
    assert row[0] == f"'{name}"


def test_junit_is_xml_with_a_failure_for_each_finding(report: Report) -> None:
    suites = ET.fromstring(written(report, "junit").encode("utf-8", "replace"))

    assert len(suites.findall(".//failure")) == 2
    assert len(suites.findall(".//error")) == 1
    assert suites.get("tests") == "3"


def test_github_annotations_are_one_command_a_line(report: Report) -> None:
    lines = written(report, "github").splitlines()

    assert len(lines) == PLACES + 1
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) [^:\n]*::[^\n]*", line), line
    assert "::error file=a\\x0ab%3A%3Aerror file=x%3A%3Apwned,line=1," in lines[0]


def test_html_runs_nothing_and_loads_nothing(report: Report) -> None:
    tags: list[tuple[str, dict[str, str | None]]] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Tags().feed(written(report, "html"))

    assert {tag for tag, _ in tags} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "article",
        "code",
        "small",
        "ul",
        "li",
    }
    assert not [
        name for _, attributes in tags for name in attributes if name.startswith("on") or name in {"src", "href"}
    ]
    assert ("meta", "default-src 'none'; style-src 'unsafe-inline'") in [(tag, got.get("content")) for tag, got in tags]


def test_text_groups_the_places_of_one_secret(report: Report) -> None:
    text = written(report, "text")

    assert text.count("fingerprint: ") == 2
    assert f"and {len(HOSTILE_NAMES) + 1 - 10} more places" in text
    assert "2 secrets in" in text


def test_text_is_coloured_only_when_asked(report: Report) -> None:
    assert "\x1b[" in "".join(formatter("text")(report, colour=True))


class TestSarif:
    """What the schema of SARIF 2.1.0 demands of the parts that we write, by hand."""

    @pytest.fixture
    def run(self, report: Report) -> dict[str, Any]:
        log = json.loads(written(report, "sarif"))
        assert log["version"] == "2.1.0"
        (run,) = log["runs"]
        found: dict[str, Any] = run
        return found

    def test_results_refer_to_rules(self, run: dict[str, Any]) -> None:
        rules = run["tool"]["driver"]["rules"]
        assert len(run["results"]) == PLACES
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["level"] in {"none", "note", "warning", "error"}
            assert result["message"]["text"]
            assert all(isinstance(text, str) and text for text in result["partialFingerprints"].values())

    def test_places_are_relative_addresses_without_meaning_of_their_own(self, run: dict[str, Any]) -> None:
        names = []
        for result in run["results"]:
            (location,) = result["locations"]
            place = location["physicalLocation"]
            address = place["artifactLocation"]["uri"]
            split = urlsplit(address)
            assert not split.scheme
            assert not split.netloc
            assert not split.query
            assert not split.fragment
            assert re.fullmatch(r"[A-Za-z0-9/!@$&'()*+,;=~._%-]+", address), address
            names.append(unquote(address, errors="replace"))
            assert 1 <= place["region"]["startLine"] <= place["region"]["endLine"]
        assert "a.zip!/x/y z#?.py" in names

    def test_rules_say_how_to_revoke_and_how_severe_they_are(self, run: dict[str, Any]) -> None:
        for rule in run["tool"]["driver"]["rules"]:
            assert "Revoke" in rule["help"]["text"]
            assert 0 < float(rule["properties"]["security-severity"]) <= 10

    def test_no_more_results_are_written_than_are_taken(self, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("strongroom.scanner.reports.sarif.MOST_RESULTS", 5)
        [run] = json.loads(written(report, "sarif"))["runs"]
        assert len(run["results"]) == 5
        assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["test-key"]
        note = run["invocations"][0]["toolExecutionNotifications"][0]
        assert note["message"]["text"].startswith(f"{PLACES - 5} more places")

    def test_a_title_is_no_longer_than_it_may_be(self, report: Report) -> None:
        finding = report.findings[1]
        finding.rule = replace(finding.rule, title="x" * 5000, provider="y" * 5000)
        [run] = json.loads(written(replace(report, findings=[finding]), "sarif"))["runs"]
        [rule] = run["tool"]["driver"]["rules"]
        assert max(len(rule[name]["text"]) for name in ("shortDescription", "fullDescription")) <= 1024

    def test_what_was_not_scanned_makes_the_invocation_a_failed_one(self, report: Report, run: dict[str, Any]) -> None:
        (invocation,) = run["invocations"]
        assert invocation["executionSuccessful"] is False
        assert [one["level"] for one in invocation["toolExecutionNotifications"]] == ["error", "note"]
        clean = json.loads(written(replace(report, problems=[]), "sarif"))
        assert clean["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_gitlab_has_what_its_schema_demands(report: Report) -> None:
    document = json.loads(written(report, "gitlab"))

    assert re.fullmatch(r"15\.\d+\.\d+", document["version"])
    assert document["scan"]["type"] == "secret_detection"
    assert document["scan"]["status"] == "failure"
    for moment in (document["scan"]["start_time"], document["scan"]["end_time"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", moment)
    ids = [one["id"] for one in document["vulnerabilities"]]
    assert len(set(ids)) == PLACES
    for one in document["vulnerabilities"]:
        assert one["severity"] in {"Info", "Unknown", "Low", "Medium", "High", "Critical"}
        assert one["location"]["commit"]["sha"]
        assert one["identifiers"][0].keys() == {"type", "name", "value"}


def test_a_finding_does_not_show_its_value(report: Report) -> None:
    finding: Finding = report.findings[0]

    assert "SECRET" not in repr(finding)
    assert "SECRET" not in repr(report)


def test_gitlab_gets_no_text_that_is_longer_than_its_schema_allows(report: Report) -> None:
    finding = report.findings[1]
    finding.rule = replace(finding.rule, title="x" * 5000, revoke="y" * 10_000)
    [found] = json.loads(written(replace(report, findings=[finding]), "gitlab"))["vulnerabilities"]

    assert (len(found["name"]), len(found["solution"])) == (255, 7000)
