"""A place on the web, on the loopback: it answers as a test tells it, and keeps what was asked of it."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A question. Names of headers are in lower case."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    def number(self, name: str, default: int) -> int:
        return int(self.query.get(name, [str(default)])[0])


@dataclass(frozen=True)
class Reply:
    """An answer. `raw` is sent instead of it, as it is, and the connection closed."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hold: threading.Event | None = None
    """The answer waits for it, after its head was sent."""


Answers = Callable[[Asked], Reply]


class Place:
    """Serves on a port of its own. `answers` maps paths, with the query or without it, to what is answered there; all others are 404."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, Reply | Answers] = {}
        place = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                place._answer(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order, without queries."""
        return [one.path for one in self.asked]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        asked = Asked(parts.path, parse_qs(parts.query), _lowered(handler.headers))
        self.asked.append(asked)
        found = self.answers.get(handler.path, self.answers.get(parts.path, Reply(b"{}", 404)))
        reply = found if isinstance(found, Reply) else found(asked)
        handler.close_connection = True
        try:
            self._send(handler, reply)
        except OSError:
            return  # whoever asked went away

    def _send(self, handler: http.server.BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.raw is not None:
            handler.wfile.write(reply.raw)
            handler.wfile.flush()
            if reply.hold is not None:
                reply.hold.wait(30)
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)


def _lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """A value as JSON. Underscores in names of headers are dashes."""
    return Reply(json.dumps(value).encode(), status, {name.replace("_", "-"): text for name, text in headers.items()})


def listing(place: Place, path: str, rows: list[Any], asked: Asked, **headers: str) -> Reply:
    """One page of `rows` as GitHub and GitLab give it: the newest first, with a Link to the next, and 304 where nothing changed."""
    size, number = asked.number("per_page", 30), asked.number("page", 1)
    tag = f'W/"{hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]}"'
    if asked.headers.get("if-none-match") == tag:
        return Reply(b"", 304, {"ETag": tag, **headers})
    if number * size < len(rows):
        others = "&".join(f"{name}={values[0]}" for name, values in asked.query.items() if name != "page")
        url = f"{place.address}{path}?{others}&page="
        headers["Link"] = f'<{url}{number + 1}>; rel="next", <{url}{-(-len(rows) // size)}>; rel="last"'
    page = rows[(number - 1) * size : number * size]
    return Reply(json.dumps(page).encode(), 200, {"ETag": tag, "Content-Type": "application/json", **headers})
