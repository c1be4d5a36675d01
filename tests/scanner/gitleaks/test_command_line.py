"""A configuration of gitleaks in a repository, as `strongroom scan git` honours it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.scanner.command_line import CommandLine

LINES = {
    "a.py": 'acme_key = "Ab3dE6gH9jK2mN5pQ8sT"\n',
    "b.py": 'acme_key = "Bb3dE6gH9jK2mN5pQ8sT"  # harmless\n',
    "c.txt": 'acme_key = "Cb3dE6gH9jK2mN5pQ8sT"\n',
    "tests/d.py": 'acme_key = "Db3dE6gH9jK2mN5pQ8sT"  # of the test\n',
    "src/e.py": 'acme_key = "Eb3dE6gH9jK2mN5pQ8sT"  # of the test\n',
    "f.py": 'acme_key = "Fb3dE6gH9jK2mN5pQ8sT"\n',
    "g.py": 'old.acme_key = "Gb3dE6gH9jK2mN5pQ8sT"\n',
}
CONFIG = r"""
[[rules]]
id = "acme-key"
regex = '''(?:old\.)?acme_key = "([A-Za-z0-9]{20})"'''
keywords = ["acme_key"]
path = '''\.py$'''
[[rules.allowlists]]
regexTarget = "line"
regexes = ['''# harmless''']
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['''of the test''']
paths = ['''^tests/''']
[[allowlists]]
targetRules = ["acme-key"]
regexTarget = "match"
regexes = ['''^old\.''']
[[allowlists]]
commits = ["COMMIT"]
"""


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A history in which everything was deleted again; `f.py` came in a commit of its own."""
    git(tmp_path, "init", "-q")
    for name, text in LINES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "add", ":!f.py")
    git(tmp_path, "commit", "-qm", "all")
    git(tmp_path, "add", "f.py")
    git(tmp_path, "commit", "-qm", "one")
    allowed = git(tmp_path, "rev-parse", "HEAD")
    git(tmp_path, "rm", "-rq", ".")
    git(tmp_path, "commit", "-qm", "none")
    (tmp_path / ".gitleaks.toml").write_text(CONFIG.replace("COMMIT", allowed))
    return tmp_path


def test_lists_by_line_match_path_and_commit_hold_in_a_history(scan: CommandLine, repository: Path) -> None:
    done = scan("git", ".", "-format=jsonl", "-rules=acme-key", cwd=repository)
    assert done.exit_code == 1, done.err
    assert sorted(row["file"] for row in done.rows) == ["a.py", "src/e.py"]


def test_they_hold_in_a_folder(scan: CommandLine, repository: Path) -> None:
    for name, text in LINES.items():
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(text)
    done = scan("dir", ".", "-format=jsonl", "-rules=acme-key", cwd=repository)
    assert sorted(row["file"] for row in done.rows) == ["a.py", "f.py", "src/e.py"]


def test_an_entry_with_a_commit_accepts_a_place_in_that_commit_alone(scan: CommandLine, repository: Path) -> None:
    commit = git(repository, "rev-list", "--max-parents=0", "HEAD")
    (repository / ".gitleaksignore").write_text(f"{commit}:a.py:acme-key:1\n{'0' * 40}:src/e.py:acme-key:1\n")
    done = scan("git", ".", "-format=jsonl", "-rules=acme-key", cwd=repository)
    assert [row["file"] for row in done.rows] == ["src/e.py"]
