"""A server that leases: what the agent sees of a database engine, without a database. It counts what it is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Leasing:
    """What it hands out. ``grants`` are the lifetimes that renewals get; once there are none left a renewal is refused."""

    address: str = ""
    made: int = 0
    renewed: list[str] = field(default_factory=list)
    grants: list[int] = field(default_factory=list)
    ttl: Any = 100
    renewable: bool = True
    is_sealed: bool = False
    user: str = ""
    depth: int = 0
    """How deep the secret is nested."""

    def _deep(self) -> Any:
        value: Any = "x"
        for _ in range(self.depth):
            value = [value]
        return value

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.is_sealed:
            return 503, {"errors": ["sealed"]}
        if path.startswith("/v1/sys/internal/ui/mounts/"):
            return 200, {"data": {"path": "database/", "type": "database", "options": None}}
        if path == "/v1/sys/leases/renew":
            self.renewed.append(body["lease_id"])
            if not self.grants:
                return 400, {"errors": ["lease not found"]}
            return 200, {
                "lease_id": body["lease_id"],
                "lease_duration": self.grants.pop(0),
                "renewable": self.renewable,
            }
        if path == "/v1/database/creds/app" and method == "GET":
            self.made += 1
            return 200, {
                "lease_id": f"database/creds/app/{self.made}",
                "lease_duration": self.ttl,
                "renewable": self.renewable,
                "data": {
                    "username": self.user or f"user-{self.made}",
                    "password": f"CANARY-{self.made}",
                    "deep": self._deep(),
                },
            }
        return 404, {"errors": []}


@contextmanager
def leasing() -> Iterator[Leasing]:
    """The server, until the end of the block."""
    state = Leasing()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = state.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = handle_any  # noqa: N815 -- the names that the standard library calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the standard library's name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
