from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from tests.processes import ServerProcess, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server process that was started with no umask at all. A test that changes more than secrets starts its own."""
    folder = tmp_path_factory.mktemp("anomalies") / "server"
    script = 'umask 000; exec "$0" -m strongroom server -config="$1"'
    with running_server(folder, command=("sh", "-c", script, sys.executable, f"{folder}/server.hcl")) as server:
        assert server.call("POST", "sys/mounts/kv", {"type": "kv"}).status == 204
        yield server
