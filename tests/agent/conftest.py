"""A development server that the agent's tests share."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.agent.workshop import Server
from tests.processes import free_port, wait_until


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Ours, over memory."""
    log = tmp_path_factory.mktemp("server") / "log"
    address = f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-m", "strongroom", "server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root"]
    with log.open("wb") as output:
        process = subprocess.Popen([*words, f"-dev-listen-address={address}"], stdout=output, stderr=output)
    try:
        wait_until(lambda: "export VAULT_ADDR" in log.read_text(), process=process)
        yield Server(f"http://{address}", "root")
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The same, with a stack for what has to end with the test."""
    with contextlib.ExitStack() as stack:
        yield dataclasses.replace(shared_server, stack=stack)


@pytest.fixture
def agents() -> Iterator[contextlib.ExitStack]:
    """What ends the agents that a test has started."""
    with contextlib.ExitStack() as stack:
        yield stack
