"""The script of the job for GitLab, run as a runner runs it, on what pipelines bring."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.integrations.conftest import Pipeline
from tests.integrations.test_schemas import FILES, load

Done = subprocess.CompletedProcess[str]


def scan(pipeline: Pipeline, shell: str = "sh", **environ: str) -> tuple[Done, set[str]]:
    job = load(FILES["vendor.gitlab-ci"])["strongroom-scan"]
    known = job["variables"] | {"CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "topic"} | environ
    done = pipeline.run(shell, "-c", "set -eu\n" + "\n".join(job["script"]), **known)
    report = pipeline.clone.root / job["artifacts"]["reports"]["secret_detection"]
    found = json.loads(report.read_text())["vulnerabilities"] if report.exists() else []
    assert pipeline.shows_no_secret(done.stdout + done.stderr + (report.read_text() if found else ""))
    return done, {one["location"]["file"] for one in found}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_what_a_merge_request_brings_is_reported(pipeline: Pipeline, shell: str) -> None:
    done, found = scan(pipeline, shell, CI_MERGE_REQUEST_DIFF_BASE_SHA=pipeline.base)
    assert (done.returncode, found) == (1, {"new.py"}), done.stderr


def test_a_new_branch_is_what_the_default_one_has_not(pipeline: Pipeline) -> None:
    done, found = scan(pipeline, CI_COMMIT_BEFORE_SHA="0" * 40)
    assert (done.returncode, found) == (1, {"new.py"})


def test_a_commit_that_is_not_in_the_clone_makes_it_scan_everything_and_say_so(pipeline: Pipeline) -> None:
    done, found = scan(pipeline, CI_COMMIT_BEFORE_SHA="a" * 40)
    assert "everything is scanned" in done.stdout
    assert found >= {"old.py", "new.py", "others.py"}


def test_secrets_may_be_reported_alone_but_a_scan_that_fails_fails(pipeline: Pipeline) -> None:
    base = pipeline.base
    assert scan(pipeline, CI_COMMIT_BEFORE_SHA=base, STRONGROOM_FAIL="false")[0].returncode == 0
    assert scan(pipeline, STRONGROOM_SINCE="$(touch owned)", STRONGROOM_FAIL="false")[0].returncode == 2
    assert scan(pipeline, STRONGROOM_SINCE="HEAD..HEAD", STRONGROOM_LEVEL="provider")[0].returncode == 0
    assert not list(pipeline.folder.rglob("owned"))
