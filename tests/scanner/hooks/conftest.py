"""A home with settings of git, a repository in it, and our program as git finds it: on PATH, or where it was installed."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import number_of

from strongroom.cli.main import main

SETTINGS = r"""
level = "provider"
disable = ["*"]

[[rules]]
id = "made-up"
title = "Made-up token"
pattern = '\b(?P<secret>ghp_[A-Za-z0-9]{36})\b'
keywords = ["ghp_"]
"""
"""One rule, since a hook that compiles hundreds of them starts slowly the first time."""


@dataclass(frozen=True)
class Done:
    exit_code: int
    out: str
    err: str


@dataclass
class Home:
    """A person's home."""

    path: Path
    cache: Path

    def __post_init__(self) -> None:
        self.environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.path),
            "XDG_CACHE_HOME": str(self.cache),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        (self.path / ".gitconfig").write_text(
            "[user]\n\tname = A\n\temail = a@example.com\n[init]\n\tdefaultBranch = main\n[protocol]\n\tallow = always\n"
        )

    def run(self, *words: str, cwd: Path | None = None, given: bytes = b"", **environ: str) -> Done:
        done = subprocess.run(
            words, cwd=cwd or self.path, env=self.environ | environ, input=given, capture_output=True, check=False
        )
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def git(self, *words: str, cwd: Path | None = None, **environ: str) -> Done:
        return self.run("git", *words, cwd=cwd, given=b"", **environ)

    def hook(self, *words: str, cwd: Path | None = None) -> Done:
        """Our command line, as whoever installs hooks has it; within this process, which takes less time than one of its own."""
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patched,
            contextlib.chdir(cwd or self.path),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name in os.environ:
                patched.delenv(name)
            for name, value in self.environ.items():
                patched.setenv(name, value)
            exit_code = main(["hook", *words])
        return Done(exit_code, out.getvalue(), err.getvalue())

    def repository(self, name: str, *options: str) -> Path:
        folder = self.path / name
        assert self.git("init", "--quiet", *options, name).exit_code == 0
        (folder / ".strongroom-scan.toml").write_text(SETTINGS)
        return folder

    def commit(self, folder: Path, **files: str) -> Done:
        """Commits these files, whose names have `_` for a dot."""
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text)
        assert self.git("add", "--all", cwd=folder).exit_code == 0
        return self.git("commit", "-m", "commit", cwd=folder)


@pytest.fixture(scope="session")
def scan_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def home(tmp_path: Path, scan_cache: Path) -> Home:
    return Home(tmp_path, scan_cache)


@pytest.fixture
def repository(home: Home) -> Path:
    return home.repository("r")


@pytest.fixture
def secret() -> Callable[[str], str]:
    """A line with a made-up token."""
    return lambda name: f'key = "{number_of(name).decode()}"\n'


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path
