from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine
from tests.processes import wait_until

SCRIPT = 'echo "$PASSWORD"; env | grep -c -i token; ps -o args= -e >processes; exit 5'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".env").write_text("PASSWORD='CANARY value'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def address_in(processes: str) -> str:
    """The flag that tells our server from every other one."""
    return next(word for word in processes.split() if word.startswith("-dev-listen-address=127.0.0.1:"))


def test_one_command_starts_a_server_delivers_and_stops_it(ours: CommandLine, folder: Path) -> None:
    done = ours("dev", "-from=.env", "--", "sh", "-c", SCRIPT.replace("-e >", "--ppid $PPID >"), VAULT_TOKEN="")
    assert (done.exit_code, done.out) == (5, "CANARY value\n0\n")
    assert "CANARY" not in done.err
    address = address_in((folder / "processes").read_text())
    assert address not in subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert not (folder / ".vault-token").exists()


def test_a_signal_ends_the_program_and_the_server(ours: CommandLine, folder: Path) -> None:
    script = "ps -o args= --ppid $PPID >processes.new; mv processes.new processes; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*ours.program, "dev", "-from=.env", "--", "sh", "-c", script], env=ours.environ, stderr=subprocess.DEVNULL
    )
    wait_until((folder / "processes").exists, process=process)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    address = address_in((folder / "processes").read_text())
    assert address not in subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-from=.env"], "-from needs a program"),
        (["--", "true"], "dev takes -from FILE"),
        (["-from=none", "--", "true"], "no such file"),
        (["-from=.env", "-data=x", "--", "true"], "nothing else"),
    ],
)
def test_what_cannot_be_done_starts_no_server(
    quick: CommandLine, folder: Path, words: list[str], complaint: str
) -> None:
    done = quick("dev", *words)
    assert done.exit_code != 0
    assert complaint in done.err
    assert [entry.name for entry in folder.iterdir()] == [".env"]
