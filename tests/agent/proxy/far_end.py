"""A server that a test writes: real sockets and real HTTP, with answers that no engine of ours gives yet, such as leases."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LEASE = {
    "lease_id": "db/creds/app/abc",
    "lease_duration": 3600,
    "renewable": True,
    "data": {"password": "a leased value"},
}


def login(token: str, **fields: Any) -> dict[str, Any]:
    """The answer of a login."""
    auth = {"client_token": token, "accessor": f"accessor-of-{token}", "lease_duration": 3600, "renewable": True}
    return {"auth": {**auth, "token_type": "service", "orphan": True, **fields}}


@dataclass
class Received:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class FarEnd:
    """Answers by path: a status and a body, or a body alone. What has no answer is 404."""

    address: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    hold: threading.Event | None = None
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def asked(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(one.target.partition("?")[0] == f"/v1/{path}" for one in self.received)

    def answer(self, received: Received) -> tuple[int, bytes]:
        self.received.append(received)
        self.arrived.release()
        if self.hold is not None:
            self.hold.wait(30)
        found = self.answers.get(received.target.partition("?")[0].removeprefix("/v1/"), (404, {"errors": []}))
        if callable(found):
            found = found(received)
        status, body = found if isinstance(found, tuple) else (200, found)
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


@contextlib.contextmanager
def far_end(**answers: Any) -> Iterator[FarEnd]:
    """One that runs; it counts what it was asked."""
    end = FarEnd(answers=answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def take(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = end.answer(Received(self.command, self.path, headers, self.rfile.read(length)))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "LIST"):
        setattr(Handler, f"do_{method}", Handler.take)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    end.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield end
    finally:
        if end.hold is not None:
            end.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
