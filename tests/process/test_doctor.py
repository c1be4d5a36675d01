"""``strongroom doctor`` beside a real server: what it finds, its exit codes, and that it shows nothing secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.processes import ServerProcess, running_server

SECOND = 'workers = 2\naudit "file" "second" {{ options {{ file_path = "{folder}/second.log" }} }}\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("doctor") / "server"
    with running_server(folder, extra=SECOND.format(folder=folder)) as running:
        yield running


def doctor(server: ServerProcess, *words: str, token: str = "") -> subprocess.CompletedProcess[str]:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_", "STRONGROOM_"))
    }
    environ |= {"HOME": str(server.folder), "VAULT_ADDR": server.address, "VAULT_CACERT": str(server.ca_file)}
    if token:
        environ["VAULT_TOKEN"] = token
    return subprocess.run(
        [sys.executable, "-m", "strongroom", "doctor", *words], env=environ, capture_output=True, text=True, check=False
    )


def found(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["exit_code"] == done.returncode
    return {check["id"]: check["verdict"] for check in report["checks"]}


def test_it_looks_at_the_running_server_and_asks_it(server: ServerProcess) -> None:
    done = doctor(server, f"-config={server.folder}/server.hcl", "-format=json", token=server.token)
    assert done.returncode == 1, done.stderr  # the kit's configuration has an unsafe switch
    verdicts = found(done)
    wanted = {
        "core-dumps": "ok",
        "data-files": "ok",
        "key-files": "ok",
        "tls": "ok",
        "tls-version": "warn",
        "audit-devices": "ok",
        "audit-health": "ok",
        "switches": "fail",
        "sqlite": "ok",
        "format": "ok",
        "seal": "warn",
        "root-tokens": "warn",
        "not-root": "ok" if os.getuid() else "fail",
        "tracing": "ok" if os.getuid() else "skipped",
    }
    assert {name: verdicts[name] for name in wanted} == wanted
    assert server.call("GET", "sys/seal-status").status == 200


def test_it_shows_no_secret(server: ServerProcess) -> None:
    assert server.call("POST", "auth/token/create", {"policies": ["default"]}).status == 200
    accessors = server.call("LIST", "auth/token/accessors").data["keys"]
    for words in ((), ("-format=json",), ("-format=yaml",)):
        done = doctor(server, f"-config={server.folder}/server.hcl", *words, token=server.token)
        shown = done.stdout + done.stderr
        assert "root-tokens" in shown
        assert [
            one for one in (server.token, *accessors, (server.folder / "unseal-key").read_text()) if one in shown
        ] == []


def test_without_a_token_it_does_not_ask(server: ServerProcess) -> None:
    for words, token in (((), ""), (("-offline",), server.token)):
        verdicts = found(doctor(server, f"-config={server.folder}/server.hcl", "-format=json", *words, token=token))
        assert {verdicts[name] for name in ("seal", "root-tokens", "audit-health")} == {"skipped"}


def test_where_it_cannot_tell_it_says_so(server: ServerProcess, tmp_path: Path) -> None:
    missing = doctor(server, f"-config={tmp_path}/none.hcl")
    assert missing.returncode == 2
    assert "Cannot tell" in missing.stdout
    (tmp_path / "wrong.hcl").write_text("lisener {}\n")
    assert doctor(server, f"-config={tmp_path}/wrong.hcl", "-format=json").returncode == 2


def test_every_problem_is_followed_by_what_to_do(server: ServerProcess) -> None:
    done = doctor(server, f"-config={server.folder}/server.hcl")
    lines = done.stdout.splitlines()
    complaints = [number for number, line in enumerate(lines) if line.startswith(("FAIL  ", "WARN  "))]
    assert complaints
    assert all(lines[number + 2].lstrip().startswith("> ") for number in complaints)
    assert lines[-1].startswith("FAIL: ")
