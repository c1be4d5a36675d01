"""Both wheels, built once, as ``make wheel`` builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = {"strongroom": ROOT, "strongroom_cli": ROOT / "packaging" / "strongroom-cli"}


def need(program: str) -> str:
    """The program, or the reason why the test is skipped."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def build(project: Path, folder: Path) -> Path:
    """The wheel of a project, built into ``folder``, which has nothing else in it."""
    environ = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=project,
        env=environ,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each wheel by the name of its project."""
    return {name: build(project, tmp_path_factory.mktemp(name)) for name, project in PROJECTS.items()}
