"""What journeys share: a folder, starting again in it, and a client that keeps its connection."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.processes import ServerProcess, start_server


@dataclass
class Client:
    """A client with one connection. Raises OSError or HTTPException where the server goes away."""

    server: ServerProcess
    token: str

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", self.server.port, context=self.server.context, timeout=30
        )

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, Any]:
        """The status and the body of one answer."""
        content = None if body is None else json.dumps(body)
        self._connection.request(method, f"/v1/{path}", content, {"X-Vault-Token": token or self.token})
        response = self._connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None

    def close(self) -> None:
        self._connection.close()


Again = Callable[[ServerProcess], ServerProcess]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def again() -> Again:
    """Start a server again in the folder of one that has ended, and unseal it. The caller ends it."""

    def start(ended: ServerProcess) -> ServerProcess:
        server = start_server(ended.folder)
        server.token = ended.token
        key = (ended.folder / "unseal-key").read_text(encoding="ascii")
        unsealed = server.call("PUT", "sys/unseal", {"key": key})
        assert unsealed.body is not None
        assert unsealed.body["sealed"] is False
        return server

    return start
