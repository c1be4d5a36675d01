"""Shells load their script and offer our words."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.packaging.conftest import need

from strongroom.cli.completion import script

PROGRAMS = Path(sys.executable).parent
ENVIRON = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": "/dev/null", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    for shell in ("bash", "zsh", "fish"):
        (tmp_path / shell).write_text(script(shell, "strongroom"))
    return tmp_path


def test_bash_offers_commands_and_flags(scripts: Path) -> None:
    program = """
        source "$1/bash"
        COMP_WORDS=(strongroom oper); COMP_CWORD=1; _strongroom_completion strongroom; echo "${COMPREPLY[@]}"; COMPREPLY=()
        COMP_WORDS=(strongroom kv get -fi); COMP_CWORD=3; _strongroom_completion strongroom; echo "${COMPREPLY[@]}"
        complete -p strongroom
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", str(scripts)], env=ENVIRON, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["operator", "-field"]
    assert lines[2].endswith("strongroom")


def test_fish_offers_commands_and_flags(scripts: Path) -> None:
    fish = need("fish")
    program = f'source {scripts}/fish; complete -C "strongroom oper"; complete -C "strongroom kv get -fi"'
    done = subprocess.run([fish, "--no-config", "-c", program], env=ENVIRON, capture_output=True, text=True, check=True)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["operator", "-field"]


def test_zsh_completes_a_command(scripts: Path) -> None:
    zsh = need("zsh")
    process, master = pty.fork()
    if process == 0:
        os.execve(zsh, [zsh, "-f", "-i"], ENVIRON)
    try:
        os.write(master, f"autoload -Uz compinit && compinit -u -D && source {scripts}/zsh && echo rea''dy\n".encode())
        seen_until(master, b"ready")
        os.write(master, b"strongroom oper\t")
        seen_until(master, b"operator ")
    finally:
        os.close(master)
        os.waitpid(process, 0)


def seen_until(terminal: int, wanted: bytes, seconds: float = 60.0) -> None:
    """Read what the terminal shows until ``wanted`` is among it."""
    seen, deadline = b"", time.monotonic() + seconds
    while wanted not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 4096)
