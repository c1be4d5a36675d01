from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, cast

import pytest

from strongroom.auth.approle import AppRole
from strongroom.auth.userpass import Passwords, UserPass
from strongroom.crypto.passwords import Mismatch
from strongroom.logical.ambient import Entropy
from strongroom.logical.backend import Context, Mount, Renews, Router
from strongroom.logical.errors import LoginFailed
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth, Connection, Request, Response
from strongroom.logical.secret import Secret

START_NS = 1_800_000_000_000_000_000


class JumpingClock:
    def __init__(self) -> None:
        self.ns = START_NS

    def now_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        return self.ns / 1e9

    def jump(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)


class SeededEntropy:
    def __init__(self) -> None:
        self._random = random.Random(7)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class CountingPasswords:
    """Hashes nothing, and counts what it was asked to check."""

    def __init__(self) -> None:
        self.checks: list[str | None] = []
        self.outdated = False
        self.before_answer: Callable[[], None] = lambda: None

    def hash(self, password: Secret[str], _entropy: Entropy) -> str:
        return f"hash of {password.reveal()}"

    def check(self, stored: str | None, password: Secret[str]) -> None:
        self.checks.append(stored)
        self.before_answer()
        if stored != f"hash of {password.reveal()}":
            raise Mismatch

    def needs_rehash(self, _stored: str) -> bool:
        return self.outdated

    @property
    def real_checks(self) -> int:
        return sum(stored is not None for stored in self.checks)


class Conflict(Exception):
    """Somebody else changed what this transaction read."""


class Transaction:
    """An overlay over a snapshot, as the barrier's: reads by name are checked again at the commit, listings are not."""

    def __init__(self, store: Store, prefix: str = "") -> None:
        self._store = store
        self._prefix = prefix
        with store.lock:
            self._snapshot = dict(store.records)
        self._reads: dict[str, bytes | None] = {}
        self.writes: dict[str, bytes | None] = {}

    def get(self, key: str) -> bytes | None:
        if key in self.writes:
            return self.writes[key]
        value = self._snapshot.get(key)
        self._reads[key] = value
        return value

    def version(self, _key: str) -> int | None:
        raise NotImplementedError

    def put(self, key: str, value: bytes) -> None:
        assert key
        assert not key.endswith("/")
        self.writes[key] = value

    def delete(self, key: str) -> None:
        self.writes[key] = None

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        names = set()
        for key in self.scan(prefix):
            name, slash, _ = key.removeprefix(prefix).partition("/")
            names.add(name + slash)
        return [name for name in sorted(names) if name > after][:limit]

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        merged = {key for key, value in {**self._snapshot, **self.writes}.items() if value is not None}
        return iter(sorted(key for key in merged if key.startswith(prefix) and key > after))

    def view(self, _prefix: str) -> Any:
        raise NotImplementedError

    def commit(self) -> None:
        with self._store.lock:
            if self.writes and any(self._store.records.get(key) is not value for key, value in self._reads.items()):
                self._store.conflicts += 1
                raise Conflict
            for key, value in self.writes.items():
                if value is None:
                    self._store.records.pop(key, None)
                else:
                    self._store.records[key] = bytes(bytearray(value))


class Store:
    def __init__(self) -> None:
        self.lock = Lock()
        self.records: dict[str, bytes] = {}
        self.conflicts = 0


class Method:
    """An auth method at a mount, called as the pipeline calls it."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.router = Router(backend)
        self.store = Store()
        self.clock = JumpingClock()
        self.entropy = SeededEntropy()
        self.address = "127.0.0.1"
        self.warnings: list[str] = []
        self.mount = Mount(
            path="auth/m/",
            accessor="auth_m_1",
            uuid="mount-1",
            type="m",
            options={},
            default_lease_ttl=2_764_800,
            max_lease_ttl=2_764_800,
            is_auth=True,
        )
        self._ids = itertools.count()

    def context(self, storage: Any, request: Request) -> Context:
        return Context(
            storage=storage,
            mount=self.mount,
            caller=None,
            request=request,
            clock=self.clock,
            entropy=self.entropy,
            fingerprints=cast("Any", None),
        )

    def request(self, path: str = "", operation: Operation = Operation.UPDATE) -> Request:
        return Request(
            id=f"request-{next(self._ids)}",
            operation=operation,
            path=path,
            connection=Connection(remote_address=self.address),
        )

    def in_transaction(self, path: str, operation: Operation, run: Callable[[Context], Any]) -> Any:
        """Run until the commit goes through; a failed login commits too, any other error does not."""
        request = self.request(path, operation)
        while True:
            storage = Transaction(self.store)
            context = self.context(storage, request)
            failed: LoginFailed | None = None
            result: Any = None
            try:
                result = run(context)
            except LoginFailed as error:
                failed = error
            try:
                storage.commit()
            except Conflict:
                continue
            self.warnings = context.warnings
            if failed is not None:
                raise failed
            return result

    def call(self, operation: Operation, path: str, body: Mapping[str, Any]) -> Response | None:
        declared, captures = self.router.find(path, operation)
        typed, _ = declared.request_type.decode(body, captures)
        result: Response | None = self.in_transaction(
            path, operation, lambda context: declared.endpoint.handler(context, typed)
        )
        return result

    def write(self, path: str, **body: Any) -> dict[str, Any]:
        response = self.call(Operation.UPDATE, path, body)
        return {} if response is None else dict(response.data or {})

    def read(self, path: str) -> dict[str, Any]:
        response = self.call(Operation.READ, path, {})
        assert response is not None
        return dict(response.data or {})

    def delete(self, path: str, **body: Any) -> None:
        assert self.call(Operation.DELETE, path, body) is None

    def keys(self, path: str, **body: Any) -> list[str]:
        response = self.call(Operation.LIST, path, body)
        assert response is not None
        assert response.data is not None
        found: list[str] = response.data["keys"]
        return found

    def log_in(self, path: str, **body: Any) -> Auth:
        response = self.call(Operation.UPDATE, path, body)
        assert response is not None
        assert response.auth is not None
        return response.auth

    def renew(self, auth: Auth) -> Auth:
        backend: Renews = self.backend
        renewed: Auth = self.in_transaction("", Operation.UPDATE, lambda context: backend.renew(context, auth))
        return renewed

    def exists(self, path: str) -> bool:
        declared, captures = self.router.find(path, Operation.UPDATE)
        assert declared.endpoint.exists is not None
        typed, _ = declared.request_type.decode({}, captures)
        return declared.endpoint.exists(self.context(Transaction(self.store), self.request()), typed)

    def snapshot(self) -> dict[str, bytes]:
        return dict(self.store.records)


@pytest.fixture
def approle() -> Method:
    return Method(AppRole())


@pytest.fixture
def passwords() -> CountingPasswords:
    return CountingPasswords()


@pytest.fixture
def userpass(passwords: CountingPasswords) -> Method:
    as_protocol: Passwords = passwords
    return Method(UserPass(as_protocol))
