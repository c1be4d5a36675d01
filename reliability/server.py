"""A real server process that is started, unsealed, killed and started again; and a client of it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reliability.armed import FILE_VARIABLE, VARIABLE

START_SECONDS = 60.0
CONFIGURATION = """
storage "sqlite" {{ path = "{data}" }}
listener "tcp" {{
  address     = "127.0.0.1:{port}"
  tls_disable = true
}}
audit "file" "main" {{ options {{ file_path = "{audit}" }} }}
workers  = {workers}
"""


class Gone(Exception):
    """No answer came, so nobody knows whether the request happened."""


@dataclass
class Answer:
    """An answer: its status, body and the request's id."""

    status: int
    body: dict[str, Any]
    request_id: str

    @property
    def is_good(self) -> bool:
        """Whether it says that the request was done."""
        return self.status in {200, 204}

    @property
    def text(self) -> str:
        """What its errors say."""
        return "; ".join(str(error) for error in self.body.get("errors") or ())


class Client:
    """One connection, which is kept. For one thread."""

    def __init__(self, port: int, token: str = "", timeout: float = 20.0) -> None:
        self.token = token
        self._port = port
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Answer:
        """One request. Raises Gone where no whole answer came; then the next call connects anew."""
        headers = {"X-Vault-Token": self.token if token is None else token}
        content = None if body is None else json.dumps(body)
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
                self._connection.connect()
                assert self._connection.sock is not None
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.request(method, f"/v1/{path}", content, headers)
            got = self._connection.getresponse()
            received = got.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise Gone from None
        decoded = json.loads(received) if received else {}
        return Answer(got.status, decoded, got.headers.get("X-Request-Id") or str(decoded.get("request_id", "")))

    def must(self, method: str, path: str, body: object = None) -> Answer:
        """One request that has to succeed."""
        answer = self.call(method, path, body)
        if not answer.is_good:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.text}")
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Server:
    """A server in ``folder``. ``data`` and ``audit`` may lie elsewhere."""

    folder: Path
    workers: int = 1
    data: Path = field(default_factory=Path)
    audit: Path = field(default_factory=Path)
    port: int = 0
    token: str = ""
    unseal_keys: list[str] = field(default_factory=list)
    """Keys of which one unseals: several, while a change of them is in doubt."""
    process: subprocess.Popen[bytes] | None = None
    more: str = ""
    """What else stands in the configuration."""

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data = self.folder / "data" if self.data == Path() else self.data
        self.audit = self.folder / "audit.log" if self.audit == Path() else self.audit
        self.port = self.port or _free_port()

    @property
    def log(self) -> str:
        """What the server wrote about itself."""
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def client(self, token: str | None = None) -> Client:
        """A client with the root token, or with ``token``."""
        return Client(self.port, self.token if token is None else token)

    def start(self, armed: str = "") -> None:
        """Start it, with failpoints where ``armed`` names some, and wait until it answers."""
        configuration = self.folder / "server.hcl"
        configuration.write_text(
            CONFIGURATION.format(data=self.data, audit=self.audit, port=self.port, workers=self.workers) + self.more,
            "utf-8",
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
        environment |= {VARIABLE: armed, FILE_VARIABLE: str(self.folder / "failpoints")}
        command = [sys.executable, "-m", "reliability.armed", str(configuration)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        self.wait_for(self._answers, "start")

    def initialize(self) -> None:
        """Make the vault, with one share, and unseal it."""
        made = self.client("").must("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).body
        self.token, self.unseal_keys = made["root_token"], made["keys"]
        self.unseal()

    def unseal(self) -> None:
        """Unseal it. Raises Gone where it dies of that, and RuntimeError where the key is refused."""
        for key in self.unseal_keys:
            answer = self.client("").call("PUT", "sys/unseal", {"key": key})
            if answer.is_good and not answer.body["sealed"]:
                self.unseal_keys = [key]
                return
        raise RuntimeError("the server does not unseal with any key that was given out")

    def arm(self, text: str) -> None:
        """Arm failpoints in every process of the running server."""
        (self.folder / "failpoints").write_text(text, "utf-8")
        self.signal(signal.SIGUSR1)

    def recover(self) -> float:
        """Start it again and unseal it; answers how many seconds that took, until a secret could be read."""
        began = time.monotonic()
        self.start()
        self.unseal()
        self.client().must("GET", "auth/token/lookup-self")
        return time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL to every process of it."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: int) -> None:
        """Send a signal to every process of it, if it still runs."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def wait(self, seconds: float = 30.0) -> int:
        """Wait for its end; answers the exit code."""
        if self.process is None:
            return 0
        return self.process.wait(seconds)

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until ``condition`` holds. Raises Gone where the process ends first, RuntimeError where it takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.process is not None and self.process.poll() is not None:
                raise Gone
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server did not {what} in time:\n{self.log[-2000:]}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return Client(self.port).call("GET", "sys/seal-status").is_good
        except Gone:
            return False


def together(*work: Callable[[], None]) -> list[threading.Thread]:
    """Run each in a thread of its own."""
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    return threads


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
