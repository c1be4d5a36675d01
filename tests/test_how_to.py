"""The how-to pages are followed word for word against a development server: every command of theirs has to work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.processes import free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "how-to"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What a person does in another terminal or on the keyboard, and what the fixture has done already.
DONE_BY_HAND = re.compile(r"^(make |\.venv/bin/strongroom server|export PATH|strongroom login +#).*$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """A home with a token in it, and a development server."""

    home: Path
    address: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("home")
    address = f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-m", "strongroom", "server", "-dev", f"-dev-listen-address={address}"]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment(home))
    try:
        wait_until(lambda: "export VAULT_ADDR" in (home / "server.log").read_text(), process=process)
        yield Place(home, f"http://{address}")
    finally:
        process.terminate()
        process.wait(30)


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}


def script(page: Path, address: str) -> str:
    """The page's commands as one script that stops at the first that fails."""
    parts = ["set -euo pipefail", f"export STRONGROOM_ADDR={address}"]
    for language, text in BLOCK.findall(page.read_text()):
        if language == "python":
            parts.append(f"python3 - <<'PYTHON'\n{text}PYTHON")
        else:
            parts.append(DONE_BY_HAND.sub("", text).replace("http://127.0.0.1:8200", address))
    return "\n".join(parts)


@pytest.mark.parametrize(
    "name", ["first-steps", "policies", "approle", "use-with-existing-clients", "environments", "organise-secrets"]
)
def test_every_command_of_the_page_works(place: Place, tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        ["bash", "-c", script(PAGES / f"{name}.md", place.address)],
        cwd=tmp_path,
        env=environment(place.home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
