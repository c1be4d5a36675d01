"""The files that we ship for other programs are what those programs read."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integrations.conftest import ROOT

yaml: Any = importlib.import_module("yaml")  # which has no types

FILES = {
    "vendor.github-actions": "action.yml",
    "vendor.github-workflows": "docs/examples/github-workflow.yml",
    "vendor.gitlab-ci": ".gitlab/strongroom-scan.gitlab-ci.yml",
}


@pytest.mark.parametrize("schema", FILES)
def test_files_for_ci_are_valid(schema: str) -> None:
    transform = ["--data-transform", "gitlab-ci"] if schema == "vendor.gitlab-ci" else []
    words = ["-m", "check_jsonschema", "--builtin-schema", schema, *transform, str(ROOT / FILES[schema])]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("command", "file"),
    [("validate-manifest", ".pre-commit-hooks.yaml"), ("validate-config", ".pre-commit-config.yaml")],
)
def test_files_for_pre_commit_are_valid(command: str, file: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", command, str(ROOT / file)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_no_expression_stands_in_what_a_shell_runs() -> None:
    for file in (FILES["vendor.github-actions"], FILES["vendor.github-workflows"]):
        runs = list(shell_texts(load(file)))
        assert not [run for run in runs if "${{" in run]
    assert runs is not None


def test_actions_are_named_by_commit_and_may_only_read() -> None:
    workflow = load(FILES["vendor.github-workflows"])
    assert workflow["permissions"] == {}
    [job] = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "security-events": "write"}
    used = [step["uses"].partition("@")[2] for step in job["steps"]]
    assert all(len(commit) == 40 for commit in used)
    assert job["steps"][0]["with"]["persist-credentials"] is False


def test_every_input_of_the_action_reaches_its_script() -> None:
    action = load("action.yml")
    script = (ROOT / ".ci/github-scan.sh").read_text()
    given = {name for step in action["runs"]["steps"] for name in step["env"] if name.startswith("INPUT_")}
    assert given == {f"INPUT_{name.upper()}" for name in action["inputs"]}
    assert [name for name in given if f"${name}" not in script and f"${{{name}" not in script] == []


def load(file: str) -> Any:
    return yaml.safe_load(Path(ROOT / file).read_text())


def shell_texts(value: Any) -> Any:
    """Every `run` of a document."""
    if isinstance(value, dict):
        yield from ([value["run"]] if isinstance(value.get("run"), str) else [])
        value = list(value.values())
    for below in value if isinstance(value, list) else []:
        yield from shell_texts(below)
