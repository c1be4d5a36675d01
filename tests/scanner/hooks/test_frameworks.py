"""pre-commit and prek, the real ones: our hooks in their environments, and theirs in our repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import number_of
from tests.scanner.hooks.conftest import Done, Home, script
from tests.tidy.source import ROOT, committed_files

from strongroom.scanner.hooks import HookRefused
from strongroom.scanner.hooks.pre_commit_file import ENTRY, FILE_NAME, add_hooks

Secret = Callable[[str], str]
PROGRAMS = Path(sys.executable).parent


def of_person(home: Home, *words: str, cwd: Path, **environ: str) -> Done:
    """A program in an environment in which our own is on PATH, and packages are found as everywhere on this machine."""
    known = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_", "REQUESTS_"))}
    known["PATH"] = f"{home.path}/bin:{PROGRAMS}:/usr/bin:/bin"
    return home.run(*words, cwd=cwd, given=b"", **known, **environ)


@pytest.fixture
def program(home: Home) -> None:
    script(home.path / "bin/strongroom", f'#!/bin/sh\nexec {sys.executable} -P -m strongroom "$@"\n')


@pytest.mark.xdist_group("environments of hooks")
def test_both_install_our_hooks_by_try_repo_and_refuse_a_secret(
    home: Home, repository: Path, secret: Secret, tmp_path: Path
) -> None:
    ours = tmp_path / "ours"
    for path in committed_files():
        (ours / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, ours / path.relative_to(ROOT))
    home.git("init", "--quiet", str(ours))
    home.commit(ours)
    (repository / "a.py").write_text(secret("tried"))
    home.git("add", "--all", cwd=repository)
    for program in ("pre-commit", "prek"):
        words = (str(PROGRAMS / program), "try-repo", str(ours), "strongroom-scan", "--verbose", "--color=never")
        done = of_person(home, *words, cwd=repository, XDG_CACHE_HOME=str(tmp_path / "environments"))
        assert done.exit_code == 1, done.out + done.err
        assert "a.py:1  Made-up token (made-up)" in done.out
        assert number_of("tried").decode()[4:] not in done.out + done.err


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("framework", ["pre-commit", "prek"])
def test_hooks_that_were_put_into_its_file_refuse_commits_and_pushes(
    home: Home, repository: Path, secret: Secret, framework: str
) -> None:
    framework_program = str(PROGRAMS / framework)
    server = home.repository("server.git", "--bare")
    home.git("remote", "add", "origin", str(server), cwd=repository)
    assert home.hook("install", "-framework=pre-commit", cwd=repository).out.startswith("Added to")
    words = ("install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
    assert of_person(home, framework_program, *words, cwd=repository).exit_code == 0
    assert home.hook("install", cwd=repository).err.startswith("pre-commit manages the hooks here")

    def git(*words: str) -> Done:
        return of_person(home, "git", *words, cwd=repository)

    git("add", "--all")
    assert git("commit", "-m", "first").exit_code == 0
    (repository / "a.py").write_text(secret("a"))
    git("add", "--all")
    done = git("commit", "-m", "secret")
    assert (done.exit_code, "a.py:1" in done.out + done.err) == (1, True)
    assert git("commit", "--quiet", "--no-verify", "-m", "secret").exit_code == 0
    (repository / "a.py").write_text("gone\n")
    git("commit", "--quiet", "--all", "-m", "gone")
    done = git("push", "origin", "HEAD:main")
    assert (done.exit_code, "a.py:1 in commit " in done.out + done.err) == (1, True)


@pytest.mark.usefixtures("program")
def test_a_run_over_all_files_scans_them_though_nothing_is_staged(home: Home, repository: Path, secret: Secret) -> None:
    add_hooks(str(repository))
    home.commit(repository, a_py="nothing\n")
    run = (str(PROGRAMS / "pre-commit"), "run", "--all-files")
    assert of_person(home, *run, cwd=repository).exit_code == 0
    home.commit(repository, a_py=secret("a"))
    done = of_person(home, *run, cwd=repository)
    assert (done.exit_code, "a.py:1" in done.out) == (1, True)


@pytest.mark.parametrize(
    "before",
    [
        "repos:\n- repo: local\n  hooks: []\n",
        "# ours\nrepos: # all\n    - repo: meta\n      hooks:\n        - id: identity",
        "default_stages: [pre-commit]\nrepos:\n\n  # first\n  - repo: meta\n    hooks: [{id: identity}]\n\n\n",
    ],
)
def test_our_hooks_are_added_below_those_that_are_there(tmp_path: Path, before: str) -> None:
    file = tmp_path / FILE_NAME
    file.write_text(before)
    assert add_hooks(str(tmp_path))
    assert file.read_text().startswith(before.rstrip())
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(file)], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    after = file.read_text()
    assert not add_hooks(str(tmp_path))
    assert file.read_text() == after


@pytest.mark.parametrize(
    "before",
    [
        "",
        "repos: []\n",
        "repos:\n",
        "repos: [{repo: meta, hooks: []}]\n",
        "repos:\n- repo: meta\nci: {}\n",
        "a\r\nrepos:\r\n- x\r\n",
    ],
)
def test_a_file_that_is_written_otherwise_is_left_alone_and_told_what_to_add(tmp_path: Path, before: str) -> None:
    (tmp_path / FILE_NAME).write_bytes(before.encode())
    with pytest.raises(HookRefused) as refused:
        add_hooks(str(tmp_path))
    assert ENTRY in str(refused.value)
    assert (tmp_path / FILE_NAME).read_bytes() == before.encode()


def test_a_link_is_not_followed_out_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("repos:\n- repo: meta\n")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / FILE_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HookRefused, match="no file that can be changed"):
        add_hooks(str(tmp_path / "r"))
    assert (tmp_path / "elsewhere").read_text() == "repos:\n- repo: meta\n"
