"""``export`` against a running server: what it writes, where, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import dotenv
import pytest
from tests.cli.conftest import OURS, CommandLine

from strongroom.delivery.export.formats import FORMATS

CONTENT = {"PASSWORD": "CANARY one\ntwo 'x' $(id)", "PORT": 5432, "EMPTY": "", "OPTIONS": {"a": [1.5]}}
TEXTS = {"PASSWORD": CONTENT["PASSWORD"], "PORT": "5432", "EMPTY": "", "OPTIONS": '{"a":[1.5]}'}


@pytest.fixture
def secret(quick: CommandLine) -> str:
    """The path of a secret with values of every kind."""
    quick.value("kv", "put", "secret/export", "-", stdin=json.dumps(CONTENT))
    return "secret/export"


def test_a_file_is_written_for_its_owner_alone(quick: CommandLine, secret: str, tmp_path: Path) -> None:
    file = tmp_path / "out.env"
    done = quick("export", "-path", secret, "-o", str(file))
    assert (done.exit_code, done.out) == (0, "")
    assert done.err == f"Wrote {file}, readable by you alone. Do not commit it.\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert dotenv.dotenv_values(file) == TEXTS


def test_output_to_a_program_is_the_document_and_nothing_else(quick: CommandLine, secret: str) -> None:
    done = quick("export", "--path", secret, "--format=json")
    assert (done.exit_code, done.err) == (0, "")
    assert json.loads(done.out) == TEXTS


def test_a_shell_evaluates_what_it_gets(ours: CommandLine, secret: str) -> None:
    script = f'eval "$({sys.executable} -m strongroom export -path {secret} -format=shell)"; printf %s "$PASSWORD"'
    done = subprocess.run(["sh", "-c", script], env=ours.environ, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (TEXTS["PASSWORD"], "")


def test_keys_are_chosen_and_renamed_as_in_run(quick: CommandLine, secret: str) -> None:
    quick.value("kv", "put", "secret/over", "PORT=1", "db.host=h")
    done = quick(
        *("export", "-path", secret, "-path=secret/over", "-only=PORT,EMPTY,db.host", "-exclude=EMPTY"),
        *("-rename=db.host=DB_HOST", "-prefix=APP_", "-format=json"),
    )
    assert json.loads(done.out) == {"APP_PORT": "1", "DB_HOST": "h"}
    assert done.err == "APP_PORT is the one of secret/data/over; secret/data/export had another value for it\n"


def test_an_environment_and_a_file_of_references_are_sources_too(
    quick: CommandLine, secret: str, tmp_path: Path
) -> None:
    (tmp_path / "app.env").write_text("A=plain\n")
    done = quick("export", "-path", secret, "-only=PORT,A", "-env-file", str(tmp_path / "app.env"), "-format=csv")
    assert done.out == '"name","value"\r\n"A","plain"\r\n"PORT","5432"\r\n'


def test_names_that_are_no_variables_fit_where_the_format_holds_them(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/files", "tls.crt=CANARY")
    refused = quick("export", "-path=secret/files")
    assert (refused.exit_code, refused.out) == (1, "")
    assert "the key 'tls.crt' of secret/data/files cannot be the name of a variable" in refused.err
    assert json.loads(quick("export", "-path=secret/files", "-format=json").out) == {"tls.crt": "CANARY"}
    assert "tls.crt:" in quick("export", "-path=secret/files", "-format=k8s-secret", "-name=app").out.replace('"', "")


def test_a_name_that_steers_code_has_to_be_named(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/steer", "LD_PRELOAD=/x")
    assert "would change which code the program runs" in quick("export", "-path=secret/steer", "-format=shell").err
    assert quick("export", "-path=secret/steer", "-format=shell", "-only=LD_PRELOAD").out == "export LD_PRELOAD=/x\n"


def test_what_cannot_be_held_leaves_the_file_as_it_was(quick: CommandLine, secret: str, tmp_path: Path) -> None:
    file = tmp_path / "docker.env"
    file.write_text("before")
    done = quick("export", "-path", secret, "-format=docker-env", "-output", str(file))
    assert (done.exit_code, done.out) == (1, "")
    assert done.err.startswith("the value of PASSWORD has several lines")
    assert "CANARY" not in done.err
    assert file.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith("docker")] == ["docker.env"]


def test_a_link_is_not_followed(quick: CommandLine, secret: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    done = quick("export", "-path", secret, "-output", str(tmp_path / "link"))
    assert (done.exit_code, "is a link" in done.err) == (1, True)
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        pytest.param(["-path=secret/export", "-format=xml"], 1, "-format is one of dotenv, ", id="no such format"),
        pytest.param(["-path=secret/export", "-name=a"], 1, "-name is for -format=k8s-secret", id="a name for nothing"),
        pytest.param(["-path=secret/export", "-format=k8s-secret"], 1, "name the Secret with -name", id="no name"),
        pytest.param(["-path=secret/none"], 2, "No value found", id="no secret"),
        pytest.param(["-path=secret/export", "-only=NOPE"], 1, "no secret holds NOPE", id="missing key"),
        pytest.param(["secret/export"], 1, "Too many arguments", id="a path without its flag"),
        pytest.param([], 1, "nothing to deliver", id="no path"),
    ],
)
def test_wrong_usage_says_what_to_do(
    quick: CommandLine, secret: str, words: list[str], exit_code: int, says: str
) -> None:
    del secret
    done = quick("export", *words)
    assert (done.exit_code, done.out) == (exit_code, "")
    assert says in done.err
    assert "CANARY" not in done.err


@pytest.mark.parametrize("words", [("export", "-path"), ("kv", "get")], ids=" ".join)
def test_a_full_disk_behind_the_output_is_told(ours: CommandLine, secret: str, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*OURS, *words, secret], env=ours.environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "the output cannot be written: no space left on device\n")


def at_a_terminal(ours: CommandLine, answer: bytes, *words: str) -> tuple[int, str]:
    """What a person sees who gives ``answer`` and a new line, and the exit code."""
    master, slave = pty.openpty()
    process = subprocess.Popen([*OURS, "export", *words], env=ours.environ, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    os.write(master, answer + b"\n")
    seen = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # nobody holds the other end any more
            break
        if not piece:
            break
        seen += piece
    os.close(master)
    return process.wait(60), seen.decode()


def test_a_terminal_sees_values_only_after_a_yes(ours: CommandLine, secret: str) -> None:
    exit_code, seen = at_a_terminal(ours, b"n", "-path", secret, "-format=json")
    assert exit_code == 1
    assert "Values will be shown on this terminal. Go on?" in seen
    assert "CANARY" not in seen
    exit_code, seen = at_a_terminal(ours, b"y", "-path", secret, "-format=json")
    assert (exit_code, "CANARY" in seen) == (0, True)
    exit_code, seen = at_a_terminal(ours, b"", "-path", secret, "-format=json", "-yes")
    assert (exit_code, "CANARY" in seen, "Go on?" in seen) == (0, True, False)


def test_every_format_is_in_the_help_and_in_its_page(quick: CommandLine) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "export-formats.md").read_text()
    shown = " ".join(quick("export", "-h").out.split())
    for name in FORMATS:
        assert name in shown
        assert f"## {name}\n" in page
