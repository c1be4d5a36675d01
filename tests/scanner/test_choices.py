"""What a scan is told to look for, to leave out, and to live with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.scanner.command_line import CommandLine
from tests.scanner.hiding.secret_token import made_up_token

TOKEN = made_up_token(9_100).decode()
OTHER = made_up_token(9_101).decode()
THIRD = made_up_token(9_102).decode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with two secrets in three files."""
    folder = tmp_path / "project"
    (folder / "vendor").mkdir(parents=True)
    (folder / "app.py").write_text(f"TOKEN = '{TOKEN}'\n")
    (folder / "vendor" / "lib.js").write_text(f"k = '{OTHER}'\n")
    (folder / "vendor" / "copy.js").write_text(f"\n\nk = '{TOKEN}'\n")
    return folder


def files(scan: CommandLine, folder: Path, *words: str) -> list[str]:
    """The files in which something is found."""
    done = scan("dir", ".", "-format=jsonl", *words, cwd=folder)
    assert done.exit_code in {0, 1}, done.err
    return sorted(row["file"] for row in done.rows)


def test_paths_are_chosen_by_patterns_and_by_size(scan: CommandLine, project: Path) -> None:
    assert files(scan, project) == ["app.py", "vendor/copy.js", "vendor/lib.js"]
    assert files(scan, project, "-include=*.py") == ["app.py"]
    assert files(scan, project, "-exclude=vendor") == ["app.py"]
    assert files(scan, project, "-include=*.js", "-exclude=/vendor/lib.*") == ["vendor/copy.js"]
    (project / "large.txt").write_text("x\n" * 5000 + OTHER)
    assert files(scan, project, "-max-file-size=9kB") == ["app.py", "vendor/copy.js", "vendor/lib.js"]
    assert "large.txt" in files(scan, project, "-max-file-size=20 KiB")


def test_large_objects_of_a_history_are_left_out_as_well(scan: CommandLine, project: Path) -> None:
    (project / "large.txt").write_text("x\n" * 5000 + THIRD)
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1")):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    (project / "large.txt").unlink()
    whole = scan("git", ".", "-format=jsonl", cwd=project)
    small = scan("git", ".", "-format=jsonl", "-max-file-size=9kB", cwd=project)
    assert "large.txt" in {row["file"] for row in whole.rows}
    assert "large.txt" not in {row["file"] for row in small.rows}
    assert {"app.py", "vendor/lib.js"} <= {row["file"] for row in small.rows}


def test_rules_are_chosen_by_id_and_levels_by_name(scan: CommandLine, project: Path) -> None:
    (project / "conf.py").write_text('password = "Blue-Kitchen-99"\nsession = "5f1d7a84-3b52-4a0e-9c51-2f6f0a3f8d11"\n')

    def rules(*words: str) -> set[str]:
        return {row["rule"] for row in scan("dir", ".", "-format=jsonl", *words, cwd=project).rows}

    assert rules("-rules=github-*") == {"github-personal-access-token"}
    assert rules("-rules=uuid", "-level=all") == {"uuid"}
    assert {"github-personal-access-token", "assigned-double-quoted"} <= rules()
    assert "uuid" not in rules("-level=provider")


def test_a_configuration_sets_the_level_excludes_disables_and_adds_rules(scan: CommandLine, project: Path) -> None:
    (project / "own.txt").write_text("acme_Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF\n")
    (project / ".strongroom-scan.toml").write_text(
        'level = "provider"\nexclude = ["vendor/**"]\ndisable = ["github-personal-*"]\n'
        '[[rules]]\nid = "acme-key"\npattern = \'\\bacme_(?P<secret>[A-Za-z0-9]{32})\\b\'\nkeywords = ["acme_"]\n'
    )
    done = scan("dir", ".", "-format=jsonl", cwd=project)
    rules = {row["rule"] for row in done.rows}
    assert "acme-key" in rules
    assert "github-personal-access-token" not in rules
    assert not any(row["file"].startswith("vendor") for row in done.rows)
    elsewhere = project.parent / "gitleaks.toml"
    elsewhere.write_text("[extend]\nuseDefault = true\n[allowlist]\npaths = ['''vendor/''']\n")
    assert files(scan, project, f"-config={elsewhere}") == ["app.py"]


def test_what_is_ignored_by_its_path_is_ignored_in_the_history_as_well(scan: CommandLine, project: Path) -> None:
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1")):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    (project / "app.py").unlink()
    (project / ".strongroomignore").write_text("vendor/**  # not ours\n")
    assert [row["file"] for row in scan("git", ".", "-format=jsonl", cwd=project).rows] == ["app.py"]


def test_what_cannot_be_read_in_a_history_is_named_by_its_path_and_may_be_excluded(
    scan: CommandLine, project: Path
) -> None:
    (project / "cut.zip").write_bytes(b"PK\3\4" + b"\0" * 60)
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1")):
        subprocess.run(["git", *words], cwd=project, check=True, capture_output=True)
    done = scan("git", ".", "-no-cache", cwd=project)
    assert (done.exit_code, "Not scanned: cut.zip: " in done.err) == (2, True)
    (project / ".strongroom-scan.toml").write_text('exclude = ["*.zip", "*.py", "*.js"]\n')
    done = scan("git", ".", cwd=project)
    assert (done.exit_code, done.err) == (0, "")


def test_a_mark_allows_its_line_with_a_reason_until_its_day(scan: CommandLine, project: Path) -> None:
    def of(mark: str) -> list[str]:
        (project / "app.py").write_text(f"TOKEN = '{TOKEN}'  # {mark}\n")
        done = scan("dir", "app.py", "-format=jsonl", cwd=project)
        return [reason for row in done.rows for reason in row["reasons"]]

    assert of('strongroom:allow reason="key of the sandbox"') == []
    assert of('strongroom:allow reason="key of the sandbox" until=2999-01-31') == []
    assert of("gitleaks:allow") == []
    assert any("ended on 2020-01-31" in reason for reason in of('strongroom:allow reason="old" until=2020-01-31'))
    assert any("no reason" in reason for reason in of("strongroom:allow"))


def test_ignore_files_leave_out_paths_secrets_and_places(scan: CommandLine, project: Path) -> None:
    rows = scan("dir", ".", "-format=jsonl", cwd=project).rows
    [fingerprint] = {row["fingerprint"] for row in rows if row["file"] == "vendor/lib.js"}
    (project / ".strongroomignore").write_text(f"app.py  # made up\n{fingerprint}  # revoked\n")
    assert files(scan, project) == ["vendor/copy.js"]
    (project / ".gitleaksignore").write_text("vendor/copy.js:github-pat:3\n")
    assert files(scan, project) == []
    assert [row["file"] for row in scan("dir", "project", "-format=jsonl", cwd=project.parent).rows] == []


def baseline(scan: CommandLine, folder: Path, *words: str) -> int:
    return scan("dir", ".", "-write-baseline=.known.json", *words, cwd=folder).exit_code


def test_what_a_baseline_knows_is_not_reported_wherever_it_moves(scan: CommandLine, project: Path) -> None:
    assert baseline(scan, project) == 0
    assert files(scan, project, "-baseline=.known.json") == []
    (project / "moved.py").write_text("\n" * 40 + (project / "app.py").read_text())
    (project / "app.py").write_text(f"TOKEN = '{THIRD}'\n")
    assert files(scan, project, "-baseline=.known.json") == ["app.py"]
    text = (project / ".known.json").read_text()
    assert not any(token in text for token in (TOKEN, OTHER))


def test_a_written_baseline_keeps_the_reasons_that_were_given_and_drops_what_is_gone(
    scan: CommandLine, project: Path
) -> None:
    assert baseline(scan, project) == 0
    known = project / ".known.json"
    rows = json.loads(known.read_text())
    rows[1]["reason"] = "made public on purpose"
    known.write_text(json.dumps(rows))
    (project / "app.py").write_text("")
    assert baseline(scan, project, "-baseline=.known.json") == 0
    kept = json.loads(known.read_text())[1:]
    assert {row.get("reason") for row in kept} >= {"made public on purpose"} or rows[1]["path"] == "app.py"


def test_two_branches_add_to_a_baseline_and_merge_without_conflict(scan: CommandLine, project: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *identity, *words], cwd=project, check=True, capture_output=True)

    (project / ".gitattributes").write_text("*.known.json merge=union\n")
    git("init", "-q", "-b", "main")
    assert baseline(scan, project) == 0
    git("add", ".")
    git("commit", "-qm", "one")
    for branch, number in (("left", 9_200), ("right", 9_300)):
        git("switch", "-q", "-c", branch, "main")
        for step in range(4):
            (project / f"{branch}{step}.py").write_text(f"k = '{made_up_token(number + step).decode()}'\n")
        assert baseline(scan, project, "-baseline=.known.json") == 0
        git("add", ".")
        git("commit", "-qm", branch)
    git("merge", "-q", "left", "-m", "both")
    assert len(json.loads((project / ".known.json").read_text())) == 1 + 2 + 8
    assert files(scan, project, "-baseline=.known.json") == []


def test_a_baseline_under_a_key_is_only_read_with_it(scan: CommandLine, project: Path) -> None:
    key = project.parent / "key"
    key.write_text("0123456789abcdef0123456789abcdef")
    assert baseline(scan, project, f"-fingerprint-key-file={key}") == 0
    assert files(scan, project, "-baseline=.known.json", f"-fingerprint-key-file={key}") == []
    without = scan("dir", ".", "-baseline=.known.json", cwd=project)
    assert without.exit_code == 2
    assert "key" in without.err
