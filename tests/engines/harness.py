"""An engine on a bench: storage in a dict, a clock that jumps, seeded randomness, and requests as a client would send them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.encoding.json import decode_untrusted, encode
from strongroom.logical.backend import Backend, Caller, Context, Declared, Mount, Router
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request, Response
from strongroom.logical.storage import Storage

DEFAULT_LEASE_TTL = 2_764_800
START_NS = 1_750_000_000_123_456_789


class MemoryStorage:
    """A Storage over a dict of all records of one mount."""

    def __init__(
        self, records: dict[str, bytes] | None = None, prefix: str = "", versions: dict[str, int] | None = None
    ) -> None:
        self.records: dict[str, bytes] = {} if records is None else records
        self._versions: dict[str, int] = {} if versions is None else versions
        self._prefix = prefix

    def get(self, key: str) -> bytes | None:
        return self.records.get(self._prefix + key)

    def version(self, key: str) -> int | None:
        return self._versions.get(self._prefix + key, 0) if self._prefix + key in self.records else None

    def put(self, key: str, value: bytes) -> None:
        self.records[self._prefix + key] = value
        self._versions[self._prefix + key] = max(self._versions.values(), default=0) + 1

    def delete(self, key: str) -> None:
        self.records.pop(self._prefix + key, None)

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        names = set()
        for key in self.scan(prefix):
            head, slash, _ = key.removeprefix(prefix).partition("/")
            names.add(head + slash)
        return sorted(name for name in names if name > after)[:limit]

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        start = self._prefix + prefix
        keys = (key.removeprefix(self._prefix) for key in sorted(self.records) if key.startswith(start))
        return iter([key for key in keys if key > after])

    def view(self, prefix: str) -> Storage:
        return MemoryStorage(self.records, self._prefix + prefix, self._versions)


class JumpingClock:
    """A clock that stands still until it is told to jump."""

    def __init__(self, now_ns: int = START_NS) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns

    def monotonic(self) -> float:
        return self._now_ns / 1e9

    def jump(self, seconds: float) -> None:
        self._now_ns += int(seconds * 1_000_000_000)


class SeededEntropy:
    """The same bytes in every run, and no two draws alike."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class RecordingFingerprints:
    """Remembers what was recorded, by the path of the secret, and refuses to forget what it does not know."""

    def __init__(self) -> None:
        self.known: dict[str, list[Mapping[str, Any]]] = {}
        self._ever: list[tuple[str, Mapping[str, Any]]] = []

    def record(self, path: str, version: int, values: Mapping[str, Any]) -> None:
        del version
        known = self.known.setdefault(path, [])
        if values not in known:
            known.append(dict(values))
            self._ever.append((path, dict(values)))

    def judge(self, values: Mapping[str, Any]) -> None:
        del values  # nothing is refused here; tests/core/test_reuse.py has the real one

    def forget(self, path: str, values: Mapping[str, Any]) -> None:
        if (path, values) not in self._ever:
            raise AssertionError("forgot values that were never recorded")
        known = [other for other in self.known.pop(path, ()) if other != values]
        if known:
            self.known[path] = known

    def of_mount(self, uuid: str, *, is_known: bool = False) -> RecordingFingerprints:
        raise AssertionError(f"an engine records fingerprints of its own mount alone, and not of {uuid}")


def caller(token_id: str = "token-one", *, is_batch: bool = False) -> Caller:
    return Caller(token_id=token_id, accessor="", display_name="tester", policies=("default",), is_batch=is_batch)


@dataclass
class MountedEngine:
    """One engine below one mount. A call that raises leaves no trace, as a transaction would."""

    backend: Backend
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    clock: JumpingClock = field(default_factory=JumpingClock)
    entropy: SeededEntropy = field(default_factory=SeededEntropy)
    fingerprints: RecordingFingerprints = field(default_factory=RecordingFingerprints)
    warnings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    mount: Mount = field(
        default_factory=lambda: Mount(
            path="secret/",
            accessor="kv_1",
            uuid="11111111-2222-3333-4444-555555555555",
            type="kv",
            options={},
            default_lease_ttl=DEFAULT_LEASE_TTL,
            max_lease_ttl=DEFAULT_LEASE_TTL,
        )
    )

    def __post_init__(self) -> None:
        self.router = Router(self.backend)

    def call(
        self,
        operation: Operation,
        path: str,
        body: Mapping[str, Any] | bytes = b"{}",
        *,
        by: Caller | None = None,
    ) -> Response | None:
        """Find, decode and run, like the pipeline. ``body`` may be the bytes that a client sends."""
        declared, context, request = self._prepare(operation, path, body, by)
        records, known = dict(self.storage.records), dict(self.fingerprints.known)
        try:
            return declared.endpoint.handler(context, request)
        except BaseException:
            self.storage.records.clear()
            self.storage.records.update(records)
            self.fingerprints.known = known
            raise
        finally:
            self.warnings = context.warnings

    def exists(self, operation: Operation, path: str, *, by: Caller | None = None) -> bool:
        """What the endpoint answers when the ACL asks whether this is a creation or an update."""
        declared, context, request = self._prepare(operation, path, b"{}", by)
        exists = declared.endpoint.exists
        if exists is None:
            raise AssertionError("the endpoint does not tell creation from update")
        return exists(context, request)

    def _prepare(
        self, operation: Operation, path: str, body: Mapping[str, Any] | bytes, by: Caller | None
    ) -> tuple[Declared, Context, Any]:
        content = body if isinstance(body, bytes) else encode(body)
        sent = decode_untrusted(content)
        declared, captures = self.router.find(path.removesuffix("/"), operation)
        decoded, self.unknown = declared.request_type.decode(sent, captures)
        context = Context(
            storage=self.storage,
            mount=self.mount,
            caller=by or caller(),
            request=Request(id="1", operation=operation, path=self.mount.path + path, body=sent),
            clock=self.clock,
            entropy=self.entropy,
            fingerprints=self.fingerprints,
        )
        return declared, context, decoded

    def read(self, path: str, /, **query: Any) -> dict[str, Any]:
        """The data of an answer that must have some."""
        return self._data(Operation.READ, path, query)

    def update(self, path: str, /, **body: Any) -> dict[str, Any] | None:
        """Write; the data of the answer, or None for an empty one."""
        response = self.call(Operation.UPDATE, path, body)
        return None if response is None else dict(response.data or {})

    def patch(self, path: str, /, **body: Any) -> dict[str, Any] | None:
        """Patch; the data of the answer, or None for an empty one."""
        response = self.call(Operation.PATCH, path, body)
        return None if response is None else dict(response.data or {})

    def delete(self, path: str) -> None:
        """Delete; the answer must be empty."""
        if self.call(Operation.DELETE, path) is not None:
            raise AssertionError("a deletion answers nothing")

    def list(self, path: str, /, **query: Any) -> list[str]:
        """The names that a listing answers."""
        names: list[str] = self._data(Operation.LIST, path, query)["keys"]
        return names

    def _data(self, operation: Operation, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        response = self.call(operation, path, query)
        if response is None or response.data is None:
            raise AssertionError("the answer holds no data")
        return dict(response.data)
