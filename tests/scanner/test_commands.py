"""`strongroom scan` as a person, a script and a pipeline call it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
import threading
from functools import cached_property
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.scanner.command_line import CommandLine
from tests.scanner.hiding.files import saved_image, zipped
from tests.scanner.hiding.secret_token import made_up_token

TOKEN = made_up_token(9_000).decode()
OTHER = made_up_token(9_001).decode()
RULE = "github-personal-access-token"
FORMATS = ("text", "json", "jsonl", "sarif", "junit", "gitlab", "github", "csv", "html")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one secret, on line 2 of a file."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(f"import os\nTOKEN = '{TOKEN}'\n")
    return folder


def committed(folder: Path) -> Path:
    """The folder as a repository with one commit."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one")):
        subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


class Answer(BaseHTTPRequestHandler):
    """Answers every question with a secret."""

    def do_GET(self) -> None:
        body = f"key {TOKEN}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_each_of_the_seven_finds_a_secret_and_exits_with_1(project: Path, scan: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"app.py": (project / "app.py").read_bytes()}))
    (tmp_path / "image.tar").write_bytes(saved_image(TOKEN.encode()))
    committed(project)
    (project / "new.py").write_text(f"K = '{TOKEN}'\n")
    subprocess.run(["git", "add", "new.py"], cwd=project, check=True)
    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    targets = {
        "dir": (str(project),),
        "git": (str(project),),
        "staged": (str(project),),
        "archive": (str(tmp_path / "a.zip"),),
        "image": (str(tmp_path / "image.tar"),),
        "url": (f"http://127.0.0.1:{server.server_port}/app.js",),
        "stdin": (),
    }
    try:
        for kind, words in targets.items():
            done = scan(kind, *words, "-format=jsonl", stdin=f"k {TOKEN}\n".encode())
            assert (done.exit_code, {row["rule"] for row in done.rows}) == (1, {RULE}), (kind, done.err)
            assert TOKEN not in done.out.decode() + done.err
    finally:
        server.shutdown()
        server.server_close()


def test_each_of_the_seven_fails_with_2_and_says_why_where_there_is_nothing_to_scan(
    scan: CommandLine, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing")
    for words in (
        ("dir", missing),
        ("git", missing),
        ("staged", missing),
        ("archive", missing),
        ("image", missing),
        ("url", "https://user@"),
        ("dir", str(tmp_path), "-format=yaml"),
        ("dir", str(tmp_path), "-level=high"),
        ("dir", str(tmp_path), "-rules=no-such-rule"),
        ("dir", str(tmp_path), "-config=missing.toml"),
        ("dir", str(tmp_path), "-baseline=missing.json"),
        ("dir", str(tmp_path), "-max-file-size=much"),
        ("dir", str(tmp_path), "-reveal", "-redact"),
    ):
        done = scan(*words)
        assert done.exit_code == 2, (words, done.out)
        assert done.err.strip()
        assert "Traceback" not in done.err


def test_what_is_clean_exits_with_0(scan: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(os.urandom(100_000))
    assert scan("dir", str(tmp_path)).exit_code == 0
    assert scan("stdin").exit_code == 0


def test_a_file_that_cannot_be_read_to_its_end_makes_the_exit_code_2_and_is_named(
    scan: CommandLine, project: Path
) -> None:
    (project / "cut.zip").write_bytes(zipped({"a": os.urandom(5000)})[:3000])
    done = scan("dir", str(project))
    assert done.exit_code == 2
    assert "cut.zip" in done.err
    assert "app.py" in done.out.decode()


class Tags(HTMLParser):
    """Collects the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_format_is_well_formed_names_the_place_and_hides_the_secret(project: Path, scan: CommandLine) -> None:
    written = {}
    for name in FORMATS:
        file = project.parent / f"report.{name}"
        done = scan("dir", str(project), f"--format={name}", f"-output={file}")
        assert (done.exit_code, done.out) == (1, b"")
        assert file.stat().st_mode & 0o777 == 0o600
        written[name] = file.read_text()
        assert TOKEN not in written[name]
        assert TOKEN[4:] not in written[name]
        assert "app.py" in written[name], name
    [row] = json.loads(written["json"])
    assert (row["file"], row["line"], row["end_line"], row["rule"]) == (f"{project}/app.py", 2, 2, RULE)
    assert {"fingerprint", "commit"} <= set(row)
    assert "value" not in row
    assert json.loads(written["jsonl"]) == row
    [result] = json.loads(written["sarif"])["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    assert ET.fromstring(written["junit"]).get("failures") == "1"
    [vulnerability] = json.loads(written["gitlab"])["vulnerabilities"]
    assert vulnerability["location"]["file"] == "app.py"
    assert written["github"].startswith("::error file=app.py,line=2,endLine=2,")
    [line] = list(csv.DictReader(io.StringIO(written["csv"])))
    assert (line["file"], line["line"]) == (f"{project}/app.py", "2")
    page = Tags()
    page.feed(written["html"])
    assert "1 secrets in 1 places" in page.text


def test_revealed_rows_have_the_value_and_the_person_is_warned(project: Path, scan: CommandLine) -> None:
    for name in ("json", "jsonl"):
        done = scan("dir", str(project), f"--format={name}", "--reveal")
        rows = json.loads(done.out) if name == "json" else done.rows
        assert [row["value"] for row in rows] == [TOKEN]
        assert "Warning" in done.err
    for name in ("sarif", "gitlab", "github"):  # these go to other systems, and never hold a secret
        assert TOKEN not in scan("dir", str(project), f"--format={name}", "--reveal").out.decode()


class Terminal:
    """A command with a person at its terminal."""

    def __init__(self, scan: CommandLine, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "XDG_CACHE_HOME": str(scan.cache), "PYTHONPATH": ""}
        command = [sys.executable, "-m", "strongroom", "scan", *words]
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)

    def answer(self, text: str) -> None:
        os.write(self._ours, text.encode())

    @cached_property
    def shown(self) -> str:
        """All that the terminal shows until the command ends."""
        parts = []
        try:
            while part := os.read(self._ours, 4096):
                parts.append(part)
        except OSError:
            pass  # the other end is closed
        os.close(self._ours)
        return b"".join(parts).decode(errors="replace")

    @cached_property
    def exit_code(self) -> int:
        return self._process.wait(60)


def test_a_person_at_the_terminal_is_asked_before_secrets_are_shown(project: Path, scan: CommandLine) -> None:
    refused = Terminal(scan, "dir", str(project), "-reveal")
    refused.answer("n\n")
    assert TOKEN not in refused.shown
    assert "(y/N)" in refused.shown
    assert refused.exit_code == 2
    agreed = Terminal(scan, "dir", str(project), "-reveal")
    agreed.answer("y\n")
    assert TOKEN in agreed.shown
    assert agreed.exit_code == 1
    unasked = Terminal(scan, "dir", str(project), "-reveal", "-yes")
    assert TOKEN in unasked.shown
    assert "(y/N)" not in unasked.shown
    assert unasked.exit_code == 1


def test_without_a_terminal_colours_and_progress_are_left_out(project: Path, scan: CommandLine) -> None:
    done = scan("dir", str(project))
    assert b"\x1b" not in done.out
    assert "\x1b" not in done.err


def test_the_root_may_be_given_in_any_way_and_paths_are_shown_as_it_was(project: Path, scan: CommandLine) -> None:
    def files(*words: str, cwd: Path) -> set[str]:
        return {row["file"] for row in scan("dir", *words, "-format=jsonl", cwd=cwd).rows}

    assert files(cwd=project) == {"app.py"}
    assert files(".", cwd=project) == {"app.py"}
    assert files("project", cwd=project.parent) == {"project/app.py"}
    assert files(str(project), cwd=project) == {f"{project}/app.py"}
    assert files("app.py", cwd=project) == {"app.py"}
