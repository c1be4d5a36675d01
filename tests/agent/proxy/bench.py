"""A proxy that runs in this process, before a server of the test's choice, and a client of its socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.agent.workshop import Server, Workshop

from strongroom.agent.folders import OutputFolders
from strongroom.agent.proxy.part import ProxyPart

AUTO = 'auto_auth { method "token_file" { config = { token_file_path = "/nowhere/token" } } }\n'


class UnixConnection(http.client.HTTPConnection):
    """A connection over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


@dataclass
class Got:
    """An answer of the proxy."""

    status: int
    headers: dict[str, str]
    raw: bytes = field(repr=False)

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def cache(self) -> str:
        return self.headers.get("X-Cache", "")


@dataclass
class Bench:
    """A running proxy: ``call`` sends one request over its unix socket."""

    workshop: Workshop
    part: ProxyPart
    path: str

    def call(self, method: str, target: str, body: Any = None, *, token: str = "", **headers: str) -> Got:
        """One request; ``target`` is below ``/v1/`` unless it begins with a slash. Underscores in names of headers are dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["X-Vault-Token"] = token
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        connection = UnixConnection(self.path)
        try:
            connection.request(method, target if target.startswith("/") else f"/v1/{target}", content, sent)
            answer = connection.getresponse()
            return Got(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def raw(self, content: bytes, *, half_close: bool = False) -> bytes:
        """What comes back for these bytes, until the proxy closes."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(self.path)
            received = b""
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                client.sendall(content)
                if half_close:
                    client.shutdown(socket.SHUT_WR)
                while part := client.recv(65536):
                    received += part
            return received


@contextlib.contextmanager
def proxy(
    address: str, folder: Path, *, more: str = "", listener: str = "", token: str | None = None
) -> Iterator[Bench]:
    """A proxy before the server at ``address``; ``more`` and ``listener`` are further HCL, ``token`` is that of the agent."""
    path = str(folder / "proxy.sock")
    config = f'{AUTO}listener "unix" {{ address = "{path}"\n{listener} }}\n{more}'
    workshop = Workshop(Server(address, ""), config)
    workshop.context.tokens.replace(token)
    part = ProxyPart(workshop.context, OutputFolders())
    try:
        part.start()
        yield Bench(workshop, part, path)
    finally:
        part.stop()
