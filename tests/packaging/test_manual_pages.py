"""Manual pages are read by the programs that show them, and say what the help says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from tests.packaging.conftest import need

from strongroom.cli.command_tree import everything, option_records, with_context
from strongroom.cli.main import main, root
from strongroom.cli.manual import page, pages

COMMANDS = {
    context.command_path: (command, context)
    for command, context in everything(root(), with_context(root(), "strongroom"))
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages as files."""
    found = tmp_path_factory.mktemp("man1")
    for name, text in pages().items():
        (found / name).write_text(text, encoding="ascii")
    return found


def test_every_command_has_its_page() -> None:
    assert pages().keys() == {f"{path.replace(' ', '-')}.1" for path in COMMANDS}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["groff", "-man", "-ww", "-Tutf8", "-Z"], id="groff"),
        pytest.param(["mandoc", "-Tlint", "-Wwarning"], id="mandoc"),
    ],
)
def test_formatters_find_nothing_to_warn_of(folder: Path, words: list[str]) -> None:
    need(words[0])
    done = subprocess.run([*words, *sorted(map(str, folder.iterdir()))], capture_output=True, text=True, check=False)
    warnings = [line for line in (done.stderr + (done.stdout if words[0] == "mandoc" else "")).splitlines() if line]
    # The pages have no date, so that the same source makes the same pages.
    assert [line for line in warnings if "missing date" not in line] == []


@pytest.mark.parametrize(
    "name", ["strongroom", "strongroom-run", "strongroom-export", "strongroom-kv-put", "strongroom-operator"]
)
def test_man_shows_every_option_and_command_with_its_meaning(folder: Path, name: str) -> None:
    need("man")
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", str(folder / f"{name}.1")],
        env={
            "PATH": "/usr/bin:/bin",
            "MANWIDTH": "100",
            "MANPAGER": "cat",
            "LC_ALL": "C.UTF-8",
            "MAN_KEEP_FORMATTING": "",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    shown = flat(re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout))
    command, context = COMMANDS[name.replace("-", " ")]
    for term, meaning in option_records(command, context):
        assert flat(f"{term} {meaning}") in shown
    for part in (command.help or "").split("\n\n"):
        assert flat(part.replace("\b", "")) in shown
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            assert f"{name}-{inner}" in shown


def flat(text: str) -> str:
    return " ".join(text.split())


def test_words_that_troff_would_obey_are_shown() -> None:
    hostile = '.so /etc/passwd\n\n\'\\\\n(.x `a` ^~ "q" - – …'
    command = click.Command("x", help=f"Does it.\n\n{hostile}\n\n\b\n    .rm it\n    'br \\fBbold")
    text = page(command, with_context(command, "strongroom"))
    assert text.isascii()
    lines = text.split("\n")
    assert r"\&.so /etc/passwd" in lines
    assert r"\&.rm it" in lines
    assert r"\&\(aqbr \efBbold" in lines
    known = {".TH", ".nh", ".ad", ".SH", ".B", ".BR", ".PP", ".RS", ".RE", ".nf", ".fi", ".TP", ""}
    assert {line.split(" ")[0] for line in lines if line.startswith((".", "'"))} <= known


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def quick(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Our command line in this process."""

    def run(*words: str) -> Done:
        exit_code = main(words)
        out, err = capsys.readouterr()
        return Done(exit_code, out, err)

    return run


def test_the_command_prints_a_page_and_writes_all(quick: Callable[..., Done], tmp_path: Path) -> None:
    assert quick("man", "kv", "get").out == pages()["strongroom-kv-get.1"]
    assert quick("man").out == pages()["strongroom.1"]
    missing = quick("man", "kv", "gte")
    assert (missing.exit_code, missing.out) == (1, "")
    assert missing.err.startswith("there is no page strongroom-kv-gte. Did you mean strongroom kv get?")
    done = quick("man", "-output", str(tmp_path / "man" / "man1"))
    assert (done.exit_code, done.out) == (0, "")
    assert {file.name: file.read_text() for file in (tmp_path / "man" / "man1").iterdir()} == pages()
    assert quick("man", "-output", str(tmp_path), "run").exit_code == 1
