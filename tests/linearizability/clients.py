"""Clients that work on a few secrets together over real connections, and write down what they did and were told."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.linearizability.history import Done, Kind, Operation, Outcome, Refused, State
from tests.pinned import Pinned
from tests.processes import Result

_KINDS = (Kind.READ,) * 8 + (Kind.WRITE,) * 9 + (Kind.DELETE,)
PATIENCE_SECONDS = 60.0


class Crossing:
    """Where clients get their connections, and wait while there is nothing to talk to."""

    def __init__(self, connections: Sequence[Pinned]) -> None:
        self._changed = threading.Condition()
        self._connections: Sequence[Pinned] | None = connections
        self._generation = 0
        self.count = 0
        """Operations begun so far, of all clients."""

    def close(self) -> None:
        """Let nobody through until ``open``."""
        with self._changed:
            self._connections = None

    def open(self, connections: Sequence[Pinned]) -> None:
        """Go on over these."""
        with self._changed:
            self._connections = connections
            self._generation += 1
            self._changed.notify_all()

    def pass_through(self, client: int, *, beyond: int) -> tuple[Pinned, int]:
        """The connection of a client, and the generation it is of: one after ``beyond``."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_open(beyond), PATIENCE_SECONDS):
                raise TimeoutError("the server did not come back")
            self.count += 1
            assert self._connections is not None
            return self._connections[client], self._generation

    def _is_open(self, beyond: int) -> bool:
        return self._connections is not None and self._generation > beyond


@dataclass
class Client:
    """Does ``work`` (the names of secrets, in order) one after the other; ``done`` is what came of it."""

    number: int
    work: Sequence[str]
    crossing: Crossing
    random: Random
    done: list[tuple[str, Operation]] = field(default_factory=list)
    _versions: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Work until all is done, through whatever happens to the server."""
        beyond = -1
        for made, name in enumerate(self.work):
            connection, generation = self.crossing.pass_through(self.number, beyond=beyond)
            operation = self._do(connection, name, f"{self.number}-{made}")
            self.done.append((name, operation))
            if isinstance(operation.outcome, State | Done) and operation.kind is not Kind.DELETE:
                self._versions[name] = operation.outcome.version
            # Where nothing was said, this server is ending or sealed: wait for what comes after it.
            beyond = generation if operation.outcome is None else -1

    def _do(self, connection: Pinned, name: str, value: str) -> Operation:
        kind = self.random.choice(_KINDS)
        # Mostly the version that was seen last, which others may have made stale; sometimes one more; sometimes no check.
        known = self._versions.get(name, 0)
        cas = self.random.choice([known, known, known, known, known + 1, None]) if kind is Kind.WRITE else None
        begin = time.monotonic_ns()
        try:
            outcome = outcome_of(kind, ask(connection, kind, name, value, cas))
        except (OSError, http.client.HTTPException):
            outcome = None
        return Operation(kind, begin, time.monotonic_ns(), outcome, value if kind is Kind.WRITE else None, cas)


def ask(connection: Pinned, kind: Kind, name: str, value: str, cas: int | None) -> Result:
    """The answer to one operation."""
    path = f"kv/data/{name}"
    if kind is Kind.READ:
        return connection.call("GET", path)
    if kind is Kind.DELETE:
        return connection.call("DELETE", path)
    options = {} if cas is None else {"options": {"cas": cas}}
    return connection.call("POST", path, {"data": {"value": value}, **options})


def outcome_of(kind: Kind, result: Result) -> Outcome | None:
    """What the answer says; None where it does not say what happened. Fails where it is none that there may be."""
    if result.status >= 500:
        return None
    if kind is Kind.READ:
        return _read(result)
    if kind is Kind.DELETE:
        assert result.status == 204, result
        return Done()
    if result.status == 400:
        assert "check-and-set" in result.errors[0], result
        return Refused()
    assert result.status == 200, result
    return Done(result.data["version"])


def _read(result: Result) -> State:
    assert result.status in {200, 404}, result
    if result.body is None or "data" not in result.body:
        return State()
    version = result.data["metadata"]["version"]
    return State(version, result.data["data"]["value"] if result.status == 200 else None)


def by_secret(clients: Iterable[Client]) -> Mapping[str, list[Operation]]:
    """The history of each secret."""
    histories: dict[str, list[Operation]] = {}
    for client in clients:
        for name, operation in client.done:
            histories.setdefault(name, []).append(operation)
    return histories
