"""A whole vault in this process, on the real store and with a real audit file: what faults are let loose on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.barrier.initialization import InitConfig
from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.pipeline import Answer
from strongroom.core.sealed import handle_sealed
from strongroom.http.codec import decode_request
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical import backend
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.backend import Endpoint, Router
from strongroom.logical.field import RequestType
from strongroom.logical.request import Connection, Request
from strongroom.physical.sqlite import SqliteStore
from strongroom.server.assemble import assemble_on
from strongroom.server.config import parse_config
from strongroom.server.edge import encode

_CONFIGURATION = """
storage "inmem" {{}}
listener "tcp" {{ tls_disable = true }}
audit "file" "main" {{ options {{ file_path = "{audit}" }} }}
{more}
"""


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    body: Any = None
    token: str = ""


@dataclass(frozen=True)
class Told:
    """What it was answered."""

    status: int
    body: Mapping[str, Any]
    request_id: str

    @property
    def is_good(self) -> bool:
        """Whether it says that the request was done."""
        return self.status in {200, 204}

    @property
    def text(self) -> str:
        """What its errors say."""
        return "; ".join(self.body.get("errors") or ())


def _read_declarations_once() -> None:
    """Thousands of vaults are made in one process, all with the same declarations, whose reading takes most of the time."""
    known: dict[tuple[Any, frozenset[str]], RequestType] = {}
    read = backend._request_type_of  # noqa: SLF001 -- a shortcut for the harness alone

    def read_once(endpoint: Endpoint, captures: frozenset[str]) -> RequestType:
        handler = getattr(endpoint.handler, "__func__", endpoint.handler)
        if (handler, captures) not in known:
            known[handler, captures] = read(endpoint, captures)
        return known[handler, captures]

    backend._request_type_of = read_once  # noqa: SLF001 -- as above


_read_declarations_once()


class Lab:
    """The vault in ``folder``: ``data`` and ``audit.log`` in it. ``unknown`` counts commits whose outcome nobody knows.

    Raises what opening the store and the vault raises.
    """

    def __init__(self, folder: Path, *, vfs: str | None = None, more: str = "") -> None:
        self.folder = folder
        self.unknown = 0
        self.failures: list[Exception] = []
        store = SqliteStore(folder / "data", vfs=vfs)
        configuration = _CONFIGURATION.format(audit=folder / "audit.log", more=more.format(folder=folder))
        try:
            config = parse_config([("lab.hcl", configuration)])
            self.node = assemble_on(store, config, SystemClock(), SystemEntropy())
        except BaseException:
            store.close()
            raise
        self._number = 0
        if self.node.system_backend is None:
            raise RuntimeError("the node is not assembled")
        self._sealed_router = Router(self.node.system_backend)

    def initialize(self) -> tuple[str, str]:
        """Make the vault; answers its root token and its unseal key."""
        result, token = self.node.initialize(InitConfig(secret_shares=1, secret_threshold=1))
        return token.reveal(), result.shares[0].reveal().hex()

    def ask(self, *asked: Asked) -> list[Told]:
        """Answer requests that came together."""
        requests = [self._decoded(one) for one in asked]
        return [
            _told(encode(answer, request), request)
            for request, answer in zip(requests, self._answers(requests), strict=True)
        ]

    def must(self, method: str, path: str, body: Any = None, token: str = "") -> Mapping[str, Any]:
        """One request that has to succeed: its body."""
        told = self.ask(Asked(method, path, body, token))[0]
        if not told.is_good:
            raise RuntimeError(f"{method} {path} answered {told.status}: {told.text}")
        return told.body

    def close(self) -> None:
        """End it."""
        self.node.close()

    def _decoded(self, asked: Asked) -> Request:
        self._number += 1
        content = b"" if asked.body is None else json.dumps(asked.body).encode()
        headers = {"host": "lab", "x-vault-token": asked.token}
        http = HttpRequest(asked.method, f"/v1/{asked.path}", headers, content, Connection(remote_address="127.0.0.1"))
        return decode_request(http, request_id=f"{id(self):x}-{self._number}")

    def _answers(self, requests: Sequence[Request]) -> list[Answer]:
        alarms = Alarms(self.failures.append, self._stop_guessing)
        unsealed = self.node.unsealed
        if unsealed is None:
            return [handle_sealed(self.node, self._sealed_router, request, alarms) for request in requests]
        answers = answer_batch(unsealed, requests, alarms)
        return [
            answer or answer_alone(unsealed, request, alarms) for request, answer in zip(requests, answers, strict=True)
        ]

    def _stop_guessing(self) -> None:
        self.unknown += 1
        self.node.seal()


def copy_vault(source: Path, target: Path) -> None:
    """A copy of a vault that nobody has open, in the place of what is at ``target``."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("reserve", "*-shm"))


def _told(response: HttpResponse, request: Request) -> Told:
    content = bytes(response.body)
    return Told(response.status, json.loads(content) if content else {}, request.id)
