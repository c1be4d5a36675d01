"""Clients whose connections stay with one process of the server, and know which one that is.

A connection is accepted by one process and stays there. Which one it is shows in the audit log: every process forms a chain of its
own, and the line of a request that its own process answered bears that chain's id.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.processes import Result, ServerProcess

_TRIES_MAX = 200
_TIMEOUT_SECONDS = 30


class Pinned:
    """One keep-alive connection. For one thread at a time; a call on a connection that was lost raises and never opens a new one."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS, context=server.context
        )
        self._connection.connect()
        self._connection.auto_open = 0
        self.token = server.token
        self.worker = ""

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Result:
        """One request. Raises OSError or HTTPException where no answer came."""
        self.ask(method, path, body, token=token)
        return self.answer()

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> None:
        """Send a request and do not wait for the answer."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"X-Vault-Request": "true", "X-Vault-Token": self.token if token is None else token}
        self._connection.request(method, f"/v1/{path}", content, headers)

    def answer(self) -> Result:
        """The answer to what was asked."""
        response = self._connection.getresponse()
        content = response.read()
        body = json.loads(content) if content else None
        return Result(response.status, body, content, dict(response.getheaders()))

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextlib.contextmanager
def pinned(server: ServerProcess, count: int) -> Iterator[list[Pinned]]:
    """``count`` connections, alternately to the two processes of ``server``."""
    opened: list[Pinned] = []
    by_worker: dict[str, list[Pinned]] = {}
    wanted = (count + 1) // 2
    try:
        while len(by_worker) < 2 or min(len(found) for found in by_worker.values()) < wanted:
            assert len(opened) < _TRIES_MAX, f"connections reach {len(by_worker)} process(es) only"
            connection = Pinned(server)
            opened.append(connection)
            connection.worker = _worker_behind(server, connection)
            by_worker.setdefault(connection.worker, []).append(connection)
        first, second = by_worker.values()
        yield [one for pair in zip(first, second, strict=False) for one in pair][:count]
    finally:
        for connection in opened:
            connection.close()


def _worker_behind(server: ServerProcess, connection: Pinned) -> str:
    found = connection.call("GET", "auth/token/lookup-self", token=server.token)
    assert found.body is not None
    assert found.status == 200, found
    return chain_of(server.audit_file, str(found.body["request_id"]))


def chain_of(audit_file: Path, request_id: str) -> str:
    """The id of the chain in which the records of a request stand."""
    for line in reversed(audit_file.read_bytes().splitlines()):
        if request_id.encode() in line:
            return str(json.loads(line)["chain"]["id"])
    raise AssertionError("the request is not in the audit log")


def followers_of(server: ServerProcess) -> list[int]:
    """The numbers of the processes that ``server`` started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == server.process.pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except (OSError, IndexError):
        return False


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run all calls at the same time, each on a thread of its own, and return what they gave; raises what the first of them raised."""
    given: list[Any] = [None] * len(calls)
    raised: list[BaseException] = []
    gate = threading.Barrier(len(calls))

    def run(index: int) -> None:
        try:
            gate.wait()
            given[index] = calls[index]()
        except BaseException as error:  # noqa: BLE001 -- it is raised again below
            raised.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
    return given
