"""What surrounds a scan: settings, names and files that somebody else chose, and what a report may not hold or do."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.scanner.command_line import CommandLine
from tests.scanner.hiding.repositories import start
from tests.scanner.hiding.secret_token import made_up_token

TOKEN = made_up_token(9_300).decode()
FORMATS = ("text", "json", "jsonl", "sarif", "junit", "gitlab", "github", "csv", "html")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one secret, on line 1 of a file."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(f"TOKEN = '{TOKEN}'\n")
    return folder


class TestIgnoreFiles:
    @pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85", "\r"])
    def test_no_entry_hides_in_a_comment(self, scan: CommandLine, project: Path, end: str) -> None:
        (project / ".strongroomignore").write_bytes(f"# made-up keys{end}**\n".encode())
        (project / ".gitleaksignore").write_bytes(f"# made-up keys{end}app.py:any:1\n".encode())
        assert scan("dir", ".", cwd=project).exit_code == 1

    def test_ends_of_lines_and_a_mark_of_windows_are_read(self, scan: CommandLine, project: Path) -> None:
        (project / ".strongroomignore").write_bytes("\ufeffapp.py\r\n".encode())
        assert scan("dir", ".", cwd=project).exit_code == 0


class TestSettings:
    @pytest.fixture
    def inner(self, project: Path) -> Path:
        """A folder within a repository whose settings stand in its root."""
        builder = start(project)
        builder.write(".strongroomignore", "*.py\n")
        builder.write("new.py", f"k = '{TOKEN}'\n")
        builder.write("sub/x", "")
        builder.git("add", "--all")
        return project / "sub"

    def test_those_of_the_root_count_wherever_in_the_repository_one_stands(
        self, scan: CommandLine, inner: Path
    ) -> None:
        for kind in ("git", "staged"):
            done = scan(kind, cwd=inner)
            assert (done.exit_code, b" places allowed" in done.out) == (0, True)

    @pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "\x1b]0;x\x07", "a\u202eb"])
    def test_an_id_of_a_rule_is_a_word_that_is_seen(self, scan: CommandLine, project: Path, name: str) -> None:
        for file, key in ((".strongroom-scan.toml", "pattern"), (".gitleaks.toml", "regex")):
            (project / file).write_text(f'[[rules]]\nid = {json.dumps(name)}\n{key} = "TOKEN"\n')
            done = scan("dir", ".", cwd=project)
            assert (done.exit_code, "\x1b" in done.err, len(done.err.splitlines())) == (2, False, 1)
            (project / file).unlink()

    def test_nothing_in_them_writes_a_line_of_its_own(self, scan: CommandLine, project: Path) -> None:
        (project / ".strongroom-scan.toml").write_text('"x\\n::error::y" = 1\n')
        done = scan("dir", ".", cwd=project)
        assert (done.exit_code, len(done.err.splitlines())) == (2, 1)


class TestNames:
    @pytest.mark.parametrize("name", ["::error::owned", "  ::stop-commands::x", "##[error]x", "a##vso[task.x]y"])
    def test_none_is_a_command_to_who_reads_the_log(self, scan: CommandLine, project: Path, name: str) -> None:
        (project / "app.py").rename(project / name)
        (project / f"{name}.zip").write_bytes(b"PK\3\4" + b"\0" * 60)
        done = scan("dir", ".", cwd=project)
        lines = [line.lstrip() for line in (done.out.decode() + done.err).splitlines()]
        assert done.exit_code == 2
        assert not any(line.startswith("::") or "##[" in line or "##vso[" in line for line in lines)

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_secret_in_one_is_not_shown(self, scan: CommandLine, project: Path, form: str) -> None:
        (project / f"{TOKEN}.zip").write_bytes(b"PK\3\4" + b"\0" * 60)
        done = scan("dir", ".", f"-format={form}", cwd=project)
        assert done.exit_code == 2
        assert TOKEN not in done.out.decode() + done.err
        assert TOKEN in scan("dir", ".", "-format=jsonl", "-reveal", "-yes", cwd=project).out.decode()

    def test_a_secret_in_one_is_not_written_into_a_baseline(self, scan: CommandLine, project: Path) -> None:
        (project / "app.py").rename(project / f"{TOKEN}.py")
        assert scan("dir", ".", "-write-baseline=known.json", cwd=project).exit_code == 0
        assert TOKEN not in (project / "known.json").read_text()
        assert scan("dir", ".", "-baseline=known.json", cwd=project).exit_code == 0

    def test_a_secret_in_the_name_of_an_author_is_not_shown(self, scan: CommandLine, project: Path) -> None:
        builder = start(project)
        builder.git(
            "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--allow-empty", "-m", "x", f"--author={TOKEN} <a@b>"
        )
        done = scan("git", ".", "-format=jsonl", cwd=project)
        assert {row["file"] for row in done.rows} == {"app.py", "<commit message>"}
        assert TOKEN not in done.out.decode() + done.err

    def test_words_that_stand_in_a_value_and_in_a_name_are_shown(self, scan: CommandLine, project: Path) -> None:
        (project / "service-account-of-the-test").mkdir()
        (project / "service-account-of-the-test" / "a.py").write_text(
            f"password = 'service-account-of-the-test'\nk = '{TOKEN}'\n"
        )
        done = scan("dir", ".", "-format=jsonl", "-level=all", cwd=project)
        assert "service-account-of-the-test/a.py" in {row["file"] for row in done.rows}

    def test_one_that_is_no_utf8_is_shown_as_escapes_wherever_it_was_named(
        self, scan: CommandLine, project: Path
    ) -> None:
        folder = os.fsdecode(os.fsencode(project) + b"\xff")
        project.rename(folder)
        for path in (folder, f"{folder}/app.py"):
            done = scan("dir", path, "-format=jsonl", "-exclude=x")
            assert [row["file"].removeprefix(f"{project}") for row in done.rows] == ["\\xff/app.py"], done.err
        assert scan("archive", f"{folder}/app.py").exit_code == 1
        done = scan("stdin", f"-name={os.fsdecode(b'a' + bytes([255]))}", "-format=jsonl", stdin=TOKEN.encode())
        assert [row["file"] for row in done.rows] == ["a\\xff"]


class TestReportFiles:
    def test_one_that_was_there_is_its_owners_alone_afterwards(self, scan: CommandLine, project: Path) -> None:
        out, other = project.parent / "out", project.parent / "other"
        for file in (out, other):
            file.write_text("x" * 10_000)
            file.chmod(0o644)
        done = scan(
            "dir", ".", "-format=jsonl", "-reveal", "-yes", f"-output={out}", f"-report=csv:{other}", cwd=project
        )
        assert done.exit_code == 1
        for file in (out, other):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert "xxx" not in file.read_text()

    def test_a_link_is_not_written_through(self, scan: CommandLine, project: Path) -> None:
        mine = project.parent / "mine"
        mine.write_text("mine")
        for target in (mine, project.parent / "missing"):
            link = project / "scan.sarif"
            link.symlink_to(target)
            for words in (("-format=sarif", "-output=scan.sarif"), ("-report=sarif:scan.sarif",)):
                done = scan("dir", ".", *words, cwd=project)
                assert (done.exit_code, "is a link" in done.err) == (2, True)
            link.unlink()
        assert mine.read_text() == "mine"
        assert not (project.parent / "missing").exists()

    def test_what_is_no_file_is_written_to_as_it_is(self, scan: CommandLine, project: Path) -> None:
        done = scan("dir", ".", "-format=jsonl", "-output=/dev/stdout", cwd=project)
        assert [row["file"] for row in done.rows] == ["app.py"]


def test_an_empty_key_is_no_key(scan: CommandLine, project: Path) -> None:
    (project.parent / "key").write_text("\n")
    done = scan("dir", ".", "-fingerprint-key-file=../key", "-write-baseline=../known.json", cwd=project)
    assert (done.exit_code, "empty" in done.err) == (2, True)
    assert not (project.parent / "known.json").exists()
