"""Hooks for all repositories of a person, by git's own setting: none of a repository's own hooks is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.scanner.hooks.conftest import Home, script

Secret = Callable[[str], str]


def test_every_repository_is_scanned_and_its_own_hooks_run_as_before(
    home: Home, repository: Path, secret: Secret
) -> None:
    for name in ("pre-commit", "commit-msg", "post-commit"):
        script(repository / ".git/hooks" / name, f"#!/bin/sh\necho {name} >> {home.path}/ran\n")
    script(repository / ".git/hooks/pre-push", f"#!/bin/sh\ncat >> {home.path}/ran\n")
    assert home.hook("install", "-global").exit_code == 0
    assert home.hook("install", "-global", "pre-push").exit_code == 0
    assert home.commit(repository, a_py=secret("a")).exit_code == 1
    assert (home.path / "ran").read_text() == "pre-commit\n"
    assert home.commit(repository, a_py="nothing\n").exit_code == 0
    assert (home.path / "ran").read_text().split() == ["pre-commit", "pre-commit", "commit-msg", "post-commit"]
    server = home.repository("server.git", "--bare")
    assert home.git("push", "--quiet", str(server), "HEAD:main", cwd=repository).exit_code == 0
    assert "refs/heads/main" in (home.path / "ran").read_text()
    status = home.hook("status", cwd=repository)
    assert "for all repositories (global)" in status.out
    assert status.out.splitlines()[1:] == [
        "pre-commit   installed",
        "pre-push     installed",
        "pre-receive  not installed",
    ]
    assert "-global" in home.hook("install", cwd=repository).err
    assert "-global" in home.hook("uninstall", cwd=repository).err


def test_the_last_hook_takes_the_folder_and_the_setting_with_it(home: Home) -> None:
    settings = (home.path / ".gitconfig").read_text()
    home.hook("install", "-global")
    home.hook("install", "-global", "pre-receive")
    folder = Path(home.git("config", "--global", "core.hooksPath").out.strip())
    assert folder.is_relative_to(home.path)
    assert home.hook("uninstall", "-global", "pre-commit").out == "Taken out: pre-commit\n"
    assert "repository's own hook" in (folder / "pre-commit").read_text()
    assert home.hook("uninstall", "-global").out == "Taken out: pre-receive\n"
    assert not folder.exists()
    assert (home.path / ".gitconfig").read_text().rstrip().removesuffix("[core]").rstrip() == settings.rstrip()
    assert home.hook("uninstall", "-global").out == "There is no hook of ours here.\n"


def test_installing_again_changes_nothing(home: Home) -> None:
    home.hook("install", "-global")
    folder = Path(home.git("config", "--global", "core.hooksPath").out.strip())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert home.hook("install", "-global").out.startswith("It was installed already")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
