"""The test kit's other half: the real server process, with TLS and SQLite, and answers as a client sees them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PORTS = range(10_000, 30_000)


@dataclass
class Result:
    """An answer as a client sees it."""

    status: int
    body: dict[str, Any] | None
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The ``data`` of the envelope; fails the test where there is none."""
        assert self.body is not None, f"status {self.status} without a body"
        data = self.body["data"]
        assert isinstance(data, dict), self.body
        return data

    @property
    def auth(self) -> dict[str, Any]:
        """The ``auth`` of the envelope; fails the test where there is none."""
        assert self.body is not None, f"status {self.status} without a body"
        auth = self.body["auth"]
        assert isinstance(auth, dict), self.body
        return auth

    @property
    def errors(self) -> list[str]:
        """The error texts, empty where there are none."""
        return [] if self.body is None else list(self.body.get("errors") or [])


def free_port() -> int:
    """A port of the loopback that nobody listens on right now.

    It lies below those that the system gives to clients: another test's connection cannot take it before the server does.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class ServerProcess:
    """A running ``strongroom server`` with TLS and SQLite in ``folder``."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    context: ssl.SSLContext
    token: str = ""

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "dev-cert.pem"

    @property
    def audit_file(self) -> Path:
        return self.folder / "audit.log"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Result:
        """One request; ``token`` None means the process's own ``token``."""
        headers = {"X-Vault-Request": "true", "Connection": "close"}
        shown = self.token if token is None else token
        if shown:
            headers["X-Vault-Token"] = shown
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/v1/{path}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=30) as response:
                return _read_result(response.status, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _read_result(error.code, error.read())

    def kill(self) -> None:
        """SIGKILL, as a crash would do."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)


SERVER_CONFIGURATION = """
storage "sqlite" {{ path = "{folder}/data" }}
listener "tcp" {{
  address       = "127.0.0.1:{port}"
  tls_cert_file = "{folder}/dev-cert.pem"
  tls_key_file  = "{folder}/dev-key.pem"
}}
audit "file" "main" {{ options {{ file_path = "{folder}/audit.log" }} }}
unsafe_allow_api_audit_creation = true
"""


def start_server(
    folder: Path, *, port: int | None = None, extra: str = "", command: tuple[str, ...] | None = None
) -> ServerProcess:
    """Start the process and wait until it answers. The folder is made ready if it is new."""
    from strongroom.logical.ambient import SystemClock
    from strongroom.server.dev_certificate import write_certificate

    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / "dev-cert.pem").exists():
        write_certificate(folder, SystemClock(), "127.0.0.1")
    configuration = folder / "server.hcl"
    if port is None:
        known = re.search(r"127\.0\.0\.1:(\d+)", configuration.read_text()) if configuration.exists() else None
        port = int(known[1]) if known else free_port()
    configuration.write_text(SERVER_CONFIGURATION.format(folder=folder, port=port) + extra, encoding="utf-8")
    argv = command or (sys.executable, "-m", "strongroom", "server", f"-config={configuration}")
    environment = {name: value for name, value in os.environ.items() if not re.match(r"(VAULT|BAO|STRONGROOM)_", name)}
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
    context = ssl.create_default_context(cafile=str(folder / "dev-cert.pem"))
    server = ServerProcess(folder, port, process, context)
    wait_until(lambda: _answers(server), process=process)
    return server


@contextlib.contextmanager
def running_server(folder: Path, **options: Any) -> Iterator[ServerProcess]:
    """A server process that is initialized, unsealed and stopped at the end; ``token`` is its root token."""
    server = start_server(folder, **options)
    try:
        first = server.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        assert first.body is not None
        assert first.status == 200, first
        (folder / "unseal-key").write_text(first.body["keys"][0], encoding="ascii")
        server.token = first.body["root_token"]
        assert server.call("PUT", "sys/unseal", {"key": first.body["keys"][0]}).status == 200
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()


def wait_until(condition: Any, *, seconds: float = 60.0, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for ``condition`` to be true; fails the test where it does not come, or where ``process`` ends first."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, "the process ended"
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def _answers(server: ServerProcess) -> bool:
    try:
        return server.call("GET", "sys/seal-status", token="").status == 200
    except (OSError, urllib.error.URLError):
        return False


def _read_result(status: int, content: bytes) -> Result:
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = None
    return Result(status, body if isinstance(body, dict) else None, content)
