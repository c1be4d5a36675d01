"""The test kit: a whole vault in memory, a clock that jumps, a seeded entropy, and a server process for journeys.

``Vault`` goes the real way of a request, from the decoded HTTP message to the encoded answer, on the memory store and with an audit
device that keeps its lines in a list. ``running_server`` starts the real process with TLS and SQLite.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.processes import Result

from strongroom.audit import channels
from strongroom.audit.devices import DeviceFailed
from strongroom.audit.enabled import Enabled
from strongroom.barrier.initialization import InitConfig
from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.pipeline import Answer
from strongroom.core.sealed import handle_sealed
from strongroom.http.codec import decode_request
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.backend import Router
from strongroom.logical.errors import LogicalError
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.request import Connection, Request
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Store
from strongroom.server.assemble import assemble_on
from strongroom.server.builtins import PLUGS
from strongroom.server.config import parse_config
from strongroom.server.edge import encode
from strongroom.system.node import Node
from strongroom.system.plugs import Plugs

START_NS = 1_900_000_000 * NANOSECONDS
PATIENT_SECONDS = 30.0
"""How long an audit device may take in tests that are not about that: a machine that stands still for a while must not fail them."""
# The same for a device that is not needed for the rule, whose records tests look at all the same.
channels.PATIENCE_SECONDS = 2.0
CONFIGURATION = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\nunsafe_allow_api_audit_creation = true\n'


class JumpingClock:
    """A clock that stands still until it is told to jump."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._now_ns = now_ns
        self._monotonic = 1000.0

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic(self) -> float:
        return self._monotonic

    def jump(self, seconds: float) -> None:
        """Let ``seconds`` pass; negative ones set the wall clock back and leave the monotonic one alone."""
        self._now_ns += int(seconds * NANOSECONDS)
        self._monotonic += max(0.0, seconds)


class SeededEntropy:
    """Bytes that look random and are the same in every run with the same seed."""

    def __init__(self, seed: str = "strongroom") -> None:
        self._seed = seed.encode()
        self._drawn = 0

    def bytes(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(count)

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class MemoryDevice:
    """An audit device that keeps its lines, and fails when told to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_broken = False

    def write(self, lines: bytes) -> None:
        if self.is_broken:
            raise DeviceFailed("it was told to fail")
        self.written.append(lines)

    def reopen(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    @property
    def text(self) -> str:
        """Everything that was written."""
        return b"".join(self.written).decode()

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record of a request or a response; checkpoints are left out."""
        records = [json.loads(line) for line in self.text.splitlines()]
        return [record for record in records if record["type"] != "checkpoint"]


class Vault:
    """A vault in this process. Initialized and unsealed unless asked otherwise; ``root`` is its root token."""

    def __init__(
        self,
        *,
        store: Store | None = None,
        configuration: str = CONFIGURATION,
        plugs: Plugs = PLUGS,
        clock: JumpingClock | None = None,
        entropy: SeededEntropy | None = None,
        is_unsealed: bool = True,
        shares: int = 1,
        threshold: int = 1,
    ) -> None:
        self.clock = clock or JumpingClock()
        self.entropy = entropy or SeededEntropy()
        self.store = store or MemoryStore()
        self.configuration = configuration
        self.node: Node = assemble_on(
            self.store, parse_config([("test.hcl", configuration)]), self.clock, self.entropy, plugs=plugs
        )
        self.node.broker._source.deadline_seconds = PATIENT_SECONDS
        self.device = MemoryDevice()
        self.node.broker.enable(Enabled(name="memory", type="memory", device=self.device, from_configuration=True))
        self.failures: list[Exception] = []
        self.unknown_commits = 0
        self.root = ""
        self.shares: list[str] = []
        self._number = 0
        if is_unsealed:
            self.initialize(shares, threshold)
            self.unseal()

    def initialize(self, shares: int = 1, threshold: int = 1) -> None:
        result, token = self.node.initialize(InitConfig(secret_shares=shares, secret_threshold=threshold))
        self.shares = [share.reveal().hex() for share in result.shares]
        self.root = token.reveal()

    def unseal(self) -> None:
        for share in self.shares:
            if self.node.unsealed is None:
                self.node.submit_unseal_share(share)

    # Requests

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "root",
        wrap_ttl: str = "",
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> Result:
        """One request over the whole way. ``path`` is below ``/v1/``; ``token`` "root" stands for the root token, None for none."""
        all_headers = {"host": "vault.test", **(headers or {})}
        if token is not None:
            all_headers["x-vault-token"] = self.root if token == "root" else token
        if wrap_ttl:
            all_headers["x-vault-wrap-ttl"] = wrap_ttl
        if method == "PATCH":
            all_headers.setdefault("content-type", "application/merge-patch+json")
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        target = path if "%" in path or "?" in path else quote(path, safe="/:@-._~!$&'()*+,;=?")
        http = HttpRequest(method, f"/v1/{target}", all_headers, content, Connection(remote_address=address))
        return as_result(self.answer(http))

    def answer(self, http: HttpRequest) -> HttpResponse:
        """What the server would answer."""
        self._number += 1
        request_id = f"request-{self._number}"
        try:
            request = decode_request(http, request_id=request_id)
        except LogicalError as error:
            return encode_error(error, request_id)
        return encode(self.handle(request), request)

    def handle(self, request: Request) -> Answer:
        """The answer of the pipeline: in a batch of one, or alone where it must be."""
        unsealed = self.node.unsealed
        alarms = Alarms(self.failures.append, self._count_unknown)
        if unsealed is None:
            return handle_sealed(self.node, self._sealed_router, request, alarms)
        answer = answer_batch(unsealed, [request], alarms)[0]
        return answer or answer_alone(unsealed, request, alarms)

    def get(self, path: str, **options: Any) -> Result:
        return self.call("GET", path, **options)

    def list(self, path: str, **options: Any) -> Result:
        return self.call("LIST", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Result:
        return self.call("POST", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Result:
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Result:
        return self.call("DELETE", path, **options)

    # Shorthands

    def write_policy(self, name: str, text: str) -> None:
        result = self.post(f"sys/policies/acl/{name}", {"policy": text})
        assert result.status == 204, result

    def token_for(self, *policies: str, **options: Any) -> str:
        """A new token with these policies."""
        result = self.post("auth/token/create", {"policies": list(policies), **options})
        assert result.status == 200, result
        return str(result.auth["client_token"])

    def mount(self, path: str, type_name: str = "kv", **options: Any) -> None:
        result = self.post(f"sys/mounts/{path}", {"type": type_name, **options})
        assert result.status == 204, result

    @functools.cached_property
    def _sealed_router(self) -> Router:
        assert self.node.system_backend is not None
        return Router(self.node.system_backend)

    def _count_unknown(self) -> None:
        self.unknown_commits += 1


def as_result(response: HttpResponse) -> Result:
    """A response as a client reads it."""
    content = bytes(response.body)
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = None
    return Result(response.status, body if isinstance(body, dict) else None, content, dict(response.headers))
