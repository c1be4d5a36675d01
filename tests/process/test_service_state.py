"""What server and agent tell systemd, as processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.processes import running_server, wait_until

from strongroom.logical.service_state import VARIABLE


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket that a service manager listens at, in ``notify`` of the test's folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taken:
        taken.bind(str(tmp_path / "notify"))
        taken.settimeout(60)
        yield taken


def environ(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), VARIABLE: str(folder / "notify")}


def test_a_server_is_ready_once_it_answers_and_says_when_it_reloads_and_stops(
    manager: socket.socket, tmp_path: Path
) -> None:
    config, data = tmp_path / "server.hcl", tmp_path / "data"
    data.mkdir(mode=0o700)
    config.write_text(
        f'storage "sqlite" {{ path = "{data}" }}\nlistener "unix" {{ address = "{tmp_path}/socket" }}\n'
        f'audit "file" "main" {{ options {{ file_path = "{tmp_path}/audit.log" }} }}\nworkers = 2\n'
    )
    words = [sys.executable, "-m", "strongroom", "server", f"-config={config}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, stderr=log, env=environ(tmp_path))
    try:
        assert manager.recv(1024) == b"READY=1"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(tmp_path / "socket"))
            client.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 501"
        process.send_signal(signal.SIGHUP)
        assert manager.recv(1024).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(1024) == b"READY=1"
        process.terminate()
        assert manager.recv(1024) == b"STOPPING=1"
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_a_server_that_cannot_start_was_never_ready(manager: socket.socket, tmp_path: Path) -> None:
    config = tmp_path / "server.hcl"
    config.write_text(
        f'storage "sqlite" {{ path = "{tmp_path}/none/at/all" }}\n'
        f'listener "unix" {{ address = "{tmp_path}/nowhere/socket" }}\n'
    )
    words = [sys.executable, "-m", "strongroom", "server", f"-config={config}"]
    done = subprocess.run(words, env=environ(tmp_path), capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(1024)


def test_an_agent_is_ready_once_everything_is_in_place_and_its_program_hears_nothing_of_it(
    manager: socket.socket, tmp_path: Path
) -> None:
    with running_server(tmp_path / "server") as server:
        (tmp_path / "token").write_text(server.token)
        (tmp_path / "token").chmod(0o600)
        config = tmp_path / "agent.hcl"
        config.write_text(
            f'vault {{\n  address = "{server.address}"\n  ca_cert = "{server.ca_file}"\n}}\n'
            f'auto_auth {{\n  method "token_file" {{ config = {{ token_file_path = "{tmp_path}/token" }} }}\n'
            f'  sink "file" {{ config = {{ path = "{tmp_path}/sink" }} }}\n}}\n'
            'env_template "A" { contents = "of the agent" }\n'
            f'exec {{ command = ["sh", "-c", "env > {tmp_path}/seen; exec sleep 600"] }}\n'
        )
        config.chmod(0o600)
        words = [sys.executable, "-m", "strongroom", "agent", f"-config={config}"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(words, stderr=log, env=environ(tmp_path))
        try:
            assert manager.recv(1024) == b"READY=1"
            assert (tmp_path / "sink").read_text() == server.token
            seen = tmp_path / "seen"
            wait_until(lambda: seen.exists() and "A=of the agent" in seen.read_text(), process=process)
            assert VARIABLE not in seen.read_text()
            process.terminate()
            assert manager.recv(1024) == b"STOPPING=1"
            process.wait(60)
        finally:
            process.kill()
            process.wait()
