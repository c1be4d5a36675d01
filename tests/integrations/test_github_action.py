"""The script of the GitHub action, run as a runner runs it, on what events bring."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.integrations.conftest import ROOT, Pipeline, files_of

Done = subprocess.CompletedProcess[str]


def scan(pipeline: Pipeline, **environ: str) -> tuple[Done, dict[str, str]]:
    known = {
        "RUNNER_TEMP": str(pipeline.folder / "temporary"),
        "GITHUB_OUTPUT": str(pipeline.folder / "output"),
        "GITHUB_REF_NAME": "topic",
        "DEFAULT_BRANCH": "main",
        "INPUT_PATH": ".",
        **dict.fromkeys(("INPUT_SINCE", "INPUT_LEVEL", "INPUT_FORMAT", "INPUT_BASELINE", "EVENT_BASE"), ""),
        "INPUT_FAIL": "true",
    }
    environ = known | environ
    return pipeline.run("bash", str(ROOT / ".ci/github-scan.sh"), "scan", **environ), environ


def annotated(done: Done) -> set[str]:
    return {line.partition("file=")[2].partition(",")[0] for line in done.stdout.splitlines() if line.startswith("::")}


def test_what_a_pull_request_brings_is_annotated_and_fails_the_step(pipeline: Pipeline) -> None:
    done, environ = scan(pipeline, EVENT_BASE=pipeline.base)
    assert done.returncode == 1, done.stderr
    assert annotated(done) == {"new.py"}
    sarif = Path(environ["RUNNER_TEMP"]) / "strongroom.sarif"
    assert files_of(environ, "GITHUB_OUTPUT") == f"sarif={sarif}\nfound=true\n"
    [run] = json.loads(sarif.read_text())["runs"]
    assert len(run["results"]) == 1
    assert pipeline.shows_no_secret(done.stdout + done.stderr + sarif.read_text())


def test_a_new_branch_is_what_the_default_one_has_not(pipeline: Pipeline) -> None:
    done, _ = scan(pipeline, EVENT_BASE="0" * 40)
    assert annotated(done) == {"new.py"}


def test_a_commit_that_is_not_in_the_clone_makes_it_scan_everything_and_say_so(pipeline: Pipeline) -> None:
    done, _ = scan(pipeline, EVENT_BASE="a" * 40)
    assert "::warning title=Everything is scanned::" in done.stderr
    assert annotated(done) >= {"old.py", "new.py", "others.py"}


@pytest.mark.parametrize("since", ["all", ""])
def test_everything_is_scanned_where_that_is_asked_for_or_nothing_was_before(pipeline: Pipeline, since: str) -> None:
    done, _ = scan(pipeline, INPUT_SINCE=since, GITHUB_REF_NAME="main")
    assert annotated(done) >= {"old.py", "new.py", "others.py"}
    assert "warning" not in done.stderr


def test_secrets_may_be_reported_alone_but_a_scan_that_fails_fails(pipeline: Pipeline) -> None:
    done, environ = scan(pipeline, EVENT_BASE=pipeline.base, INPUT_FAIL="false")
    assert done.returncode == 0
    assert "found=true" in files_of(environ, "GITHUB_OUTPUT")
    assert scan(pipeline, INPUT_SINCE="nowhere", INPUT_FAIL="false")[0].returncode == 2
    assert scan(pipeline, INPUT_LEVEL="nonsense", INPUT_FAIL="false")[0].returncode == 2


def test_without_secrets_the_step_passes(pipeline: Pipeline) -> None:
    done, environ = scan(pipeline, INPUT_SINCE="HEAD..HEAD")
    assert (done.returncode, annotated(done)) == (0, set())
    assert "found=false" in files_of(environ, "GITHUB_OUTPUT")


HOSTILE = ('"; touch owned; "', "$(touch owned)", "`touch owned`", "--output=owned", "a b\n::error::x")


@pytest.mark.parametrize("name", ["INPUT_PATH", "INPUT_SINCE", "INPUT_LEVEL", "INPUT_FORMAT", "INPUT_BASELINE"])
def test_inputs_are_values_and_never_code(pipeline: Pipeline, name: str) -> None:
    for hostile in HOSTILE if name == "INPUT_SINCE" else HOSTILE[1:2]:
        done, _ = scan(pipeline, **{"INPUT_SINCE": "HEAD..HEAD", name: hostile})
        assert done.returncode == 2
        assert "\n::error::x" not in done.stdout + done.stderr
    assert not list(pipeline.folder.rglob("owned"))


@pytest.mark.parametrize("name", ["EVENT_BASE", "DEFAULT_BRANCH"])
def test_what_an_event_says_is_no_code_either(pipeline: Pipeline, name: str) -> None:
    for hostile in HOSTILE:
        done, _ = scan(pipeline, **{"EVENT_BASE": "", name: hostile})
        assert done.returncode == 1
        assert "\n::error::x" not in done.stdout + done.stderr
    assert not list(pipeline.folder.rglob("owned"))


def test_names_of_files_begin_no_command(pipeline: Pipeline) -> None:
    pipeline.clone.hide("new", "##[error]x\n::error::y.py")
    pipeline.clone.commit("hostile name")
    done, _ = scan(pipeline, INPUT_SINCE="HEAD~1..HEAD")
    assert done.returncode == 1
    assert "##[" not in done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("::error::")] == []
