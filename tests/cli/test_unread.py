"""Commands whose output nobody reads to its end: one quiet end for all of them, and never that of a success."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import OURS, CommandLine, Done

UNREAD = 141
Ends = Callable[..., Done]


@contextmanager
def without_reader() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


@pytest.fixture
def unread() -> Ends:
    """Runs a command whose output nobody reads; with ``of_all`` whose messages nobody reads either."""

    def end(line: CommandLine, *words: str, of_all: bool = False, unbuffered: str = "") -> Done:
        with without_reader() as writer:
            done = subprocess.run(
                [*line.program, *words],
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer if of_all else subprocess.PIPE,
                env={**line.environ, "PYTHONUNBUFFERED": unbuffered},
                text=True,
                check=False,
                timeout=60,
            )
        return Done(done.returncode, "", done.stderr or "")

    return end


@pytest.fixture
def line(tmp_path: Path) -> CommandLine:
    """A command line without a server."""
    return CommandLine(OURS, {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONWARNINGS": "error"})


@pytest.fixture
def leaky(tmp_path: Path) -> str:
    """A folder with a secret in it."""
    folder = tmp_path / "leaky"
    folder.mkdir()
    (folder / "config.py").write_text(f'token = "glpat-{"q7Rb2ZxK9mLw4TnV8dHs"}"\n')
    return str(folder)


@pytest.mark.parametrize("words", [["man"], ["kv", "get", "-help"], ["version"]])
def test_what_needs_no_server(line: CommandLine, unread: Ends, words: list[str]) -> None:
    done = unread(line, *words)
    assert (done.exit_code, done.err) == (UNREAD, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_scan_is_neither_clean_nor_failed(
    line: CommandLine, unread: Ends, leaky: str, form: str, unbuffered: str
) -> None:
    words = ["scan", "dir", "-no-cache", "-rules=gitlab*", "-exit-code=0", f"-format={form}", leaky]
    done = unread(line, *words, unbuffered=unbuffered)
    assert (done.exit_code, done.err) == (UNREAD, "")


def test_a_scan_that_another_reads_from_a_file_is_as_it_was(line: CommandLine, unread: Ends, leaky: str) -> None:
    report = Path(leaky).with_name("report")
    done = unread(
        line, "scan", "dir", "-no-cache", "-rules=gitlab*", "-format=json", f"-output={report}", leaky, of_all=True
    )
    assert done.exit_code == 1
    assert "gitlab" in report.read_text()


@pytest.mark.parametrize(
    "words",
    [
        ["kv", "list", "-mount=secret"],
        ["kv", "get", "-field=a", "-mount=secret", "unread"],
        ["audit", "list", "-format=json"],
        ["export", "-path=secret/unread", "-format=json"],
        ["run", "-path=secret/unread", "-dry-run"],
        ["env", "matrix", "-format=json"],
    ],
)
def test_what_the_server_has_said(quick: CommandLine, ours: CommandLine, unread: Ends, words: list[str]) -> None:
    for rank in (0, 10):
        quick("secrets", "enable", f"-path=unread-{rank}", "-version=2", "kv")
        quick("write", f"sys/environments/unread-{rank}", f"rank={rank}", f"mounts=unread-{rank}")
    quick("kv", "put", "-mount=secret", "unread", "a=b")
    done = unread(ours, *words)
    assert (done.exit_code, done.err) == (UNREAD, "")


def test_an_error_keeps_its_exit_code_where_nobody_reads_its_text(line: CommandLine, unread: Ends) -> None:
    assert unread(line, "inject", "/nowhere/at/all", of_all=True).exit_code == 1
    assert unread(line, "no-such-command", of_all=True).exit_code == 127


def test_a_message_that_nobody_reads_keeps_nothing_from_being_done(
    ours: CommandLine, unread: Ends, tmp_path: Path
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".env").write_text("DB_PASSWORD=correct horse\n")
    moving = CommandLine(("sh", "-c", f'cd {tmp_path}/shop && exec "$@"', "sh", *ours.program), ours.environ)
    done = unread(moving, "init", "-from=.env", "-root=secret/unread-init", "-yes", "-remove", of_all=True)
    assert done.exit_code == UNREAD
    assert not (tmp_path / "shop" / ".env").exists()
    assert ours.value("kv", "get", "-field=DB_PASSWORD", "secret/unread-init/shop") == "correct horse"


def test_a_program_that_is_run_gets_its_streams_as_they_are(ours: CommandLine, unread: Ends) -> None:
    ours("kv", "put", "-mount=secret", "unread", "A=1")
    words = ["run", "-path=secret/unread", "-path=secret/unread", "--", "sh", "-c", "echo x >&2; exit 5"]
    # The shell's own answer to a message that nobody reads.
    assert unread(ours, *words, of_all=True).exit_code in {5, -13}
