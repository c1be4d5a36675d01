"""A vault with the edge before it, as the listener asks it: requests are met by quotas, counted, and answered on the loop or the pool."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.kit import Vault, as_result
from tests.processes import Result

from strongroom.core.batch import Alarms
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.request import Connection
from strongroom.server.edge import Edge
from strongroom.server.log import Log


@dataclass
class Asked:
    """A request that waits for its answer."""

    request: HttpRequest
    responses: list[HttpResponse] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def respond(self, response: HttpResponse) -> None:
        self.responses.append(response)
        self.done.set()

    def result(self) -> Result:
        assert self.done.wait(30), "the request got no answer"
        assert len(self.responses) == 1
        return as_result(self.responses[0])


class Front:
    """The edge of a vault in memory."""

    def __init__(self, vault: Vault | None = None, *, log_level: str = "info", as_json: bool = False) -> None:
        self.vault = vault or Vault()
        self.log_stream = io.StringIO()
        log = Log(self.vault.clock, level=log_level, as_json=as_json, stream=self.log_stream)
        self.edge = Edge(self.vault.node, Alarms(self.vault.failures.append, lambda: None), log=log)

    @property
    def log(self) -> list[str]:
        return self.log_stream.getvalue().splitlines()

    def asked(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "root",
        address: str = "192.0.2.1",
        headers: Mapping[str, str] | None = None,
        shows_metrics: bool = False,
    ) -> Asked:
        """A request as the listener has it."""
        sent = {"host": "vault.test", **(headers or {})}
        if token is not None:
            sent["x-vault-token"] = self.vault.root if token == "root" else token
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        target = path if "%" in path or "?" in path else quote(path, safe="/:@-._~!$&'()*+,;=?")
        connection = Connection(remote_address=address, remote_port=40_000, shows_metrics=shows_metrics)
        return Asked(HttpRequest(method, f"/v1/{target}", sent, content, connection))

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Result:
        """One request, in a batch of its own."""
        asked = self.asked(method, path, body, **options)
        self.edge([asked])
        return asked.result()

    def ask_together(self, *asked: Asked) -> list[Result]:
        """Several requests in one batch."""
        self.edge(list(asked))
        return [one.result() for one in asked]

    def get(self, path: str, **options: Any) -> Result:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Result:
        return self.ask("POST", path, body, **options)

    def limit(self, name: str, **fields: Any) -> None:
        """Set a quota, from an address of its own."""
        result = self.post(f"sys/quotas/rate-limit/{name}", fields, address="198.51.100.250")
        assert result.status == 204, result

    def configure(self, **fields: Any) -> None:
        """Set what holds for all quotas, from an address of its own."""
        result = self.post("sys/quotas/config", fields, address="198.51.100.251")
        assert result.status == 204, result

    def statuses(self, count: int, method: str, path: str, body: Any = None, **options: Any) -> list[int]:
        """The statuses of ``count`` requests, one after the other."""
        return [self.ask(method, path, body, **options).status for _ in range(count)]

    def close(self) -> None:
        self.edge.close()
