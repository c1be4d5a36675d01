"""A clone as CI makes it, with one commit that was there before and one that brings a secret."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, number_of, start
from tests.scanner.hooks.conftest import SETTINGS, script

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Pipeline:
    """A machine of CI."""

    folder: Path
    cache: Path
    clone: Builder
    base: str
    """The commit that was there before."""

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        known = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.cache),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        return subprocess.run(
            words, cwd=self.clone.root, env=known | environ, capture_output=True, text=True, check=False
        )

    def shows_no_secret(self, text: str) -> bool:
        return not any(number_of(name).decode()[4:] in text for name in ("old", "new", "others"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A machine of which each test has a copy."""
    folder = tmp_path_factory.mktemp("ci") / "machine"
    origin = start(folder / "origin")
    origin.write(".strongroom-scan.toml", SETTINGS)
    origin.hide("old", "old.py")
    base = origin.commit("old")
    origin.git("checkout", "--quiet", "-b", "other")
    origin.hide("others", "others.py")
    origin.commit("of another branch")
    origin.git("checkout", "--quiet", "main")
    origin.git("checkout", "--quiet", "-b", "topic")
    origin.hide("new", "new.py")
    origin.commit("new")
    origin.git("clone", "--quiet", str(origin.root), str(folder / "clone dir"))
    program = f'#!/bin/sh\nexec {sys.executable} -P -m strongroom "$@"\n'
    script(folder / "bin" / "strongroom", program)
    script(folder / "temporary" / "strongroom" / "bin" / "strongroom", program)
    return Pipeline(folder, folder.parent / "cache", Builder(folder / "clone dir"), base)


@pytest.fixture
def pipeline(made: Pipeline, tmp_path: Path) -> Pipeline:
    folder = tmp_path / "machine"
    shutil.copytree(made.folder, folder, symlinks=True)
    return Pipeline(folder, made.cache, Builder(folder / "clone dir", days=made.clone.days + 100), made.base)


def files_of(environ: Mapping[str, str], name: str) -> str:
    """What a step wrote into one of the files that CI names in the environment."""
    path = Path(environ[name])
    return path.read_text() if path.exists() else ""
