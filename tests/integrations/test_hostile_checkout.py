"""A repository that is scanned in CI, and that has files with the names of what installs the scanner. None of them may run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.integrations.conftest import ROOT, Pipeline
from tests.integrations.test_schemas import FILES, load
from tests.scanner.hooks.conftest import script

MODULES = ("venv", "logging", "pip", "ensurepip", "subprocess", "sitecustomize", "re2", "strongroom")


@pytest.fixture
def marker(pipeline: Pipeline) -> Path:
    """The file that any module of the repository would write, if it ran."""
    marker = pipeline.folder / "ran"
    text = f"open({str(marker)!r}, 'a').write(__name__ + '\\n')\n"
    for name in MODULES:
        pipeline.clone.write(f"{name}.py", text)
    pipeline.clone.write(".strongroom-venv/lib/python3.12/site-packages/evil.pth", f"import os; {text}")
    # Without pip: what is installed with it is no matter of this test, and takes a while.
    script(pipeline.folder / "bin" / "python3", f'#!/bin/sh\nexec {sys.executable} "$@" --without-pip\n')
    return marker


def test_the_modules_would_run_if_nothing_kept_them_from_it(pipeline: Pipeline, marker: Path) -> None:
    pipeline.run("python3", "-m", "venv", str(pipeline.folder / "x"))
    assert marker.exists()


def test_the_action_installs_without_running_any_of_them(pipeline: Pipeline, marker: Path) -> None:
    temporary = pipeline.folder / "fresh"
    pipeline.run(
        "bash", str(ROOT / ".ci/github-scan.sh"), "install", RUNNER_TEMP=str(temporary), GITHUB_ACTION_PATH=str(ROOT)
    )
    assert (temporary / "strongroom/bin/python").exists()
    assert not marker.exists()


def test_the_job_for_gitlab_installs_without_running_any_of_them(pipeline: Pipeline, marker: Path) -> None:
    job = load(FILES["vendor.gitlab-ci"])["strongroom-scan"]
    temporary = pipeline.folder / "fresh"
    temporary.mkdir()
    steps = "\n".join(job["before_script"])
    pipeline.run("sh", "-c", steps, TMPDIR=str(temporary), **job["variables"])
    assert list(temporary.glob("*/bin/python"))
    assert not marker.exists()
