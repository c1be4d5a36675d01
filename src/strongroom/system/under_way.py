"""What this process is answering right now, for whoever asks while it does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from strongroom.logical.instant import rfc3339
from strongroom.logical.request import Request
from strongroom.system.unsealed import Unsealed

Described = dict[str, str]
"""A request under way as ``sys/in-flight-req`` shows it."""


class InFlight:
    """The requests under way. The batch belongs to the loop's thread; what is slow may begin and end in any."""

    def __init__(self) -> None:
        self._batch: Sequence[Request] = ()
        self._began_ns = 0
        self._slow: dict[str, tuple[int, Request]] = {}

    def begin_batch(self, requests: Sequence[Request], now_ns: int) -> None:
        """These are being answered together from now on, and no others."""
        self._batch = requests
        self._began_ns = now_ns

    def begin_slow(self, request: Request, now_ns: int) -> None:
        """This one waits for the pool, or runs there."""
        self._slow[request.id] = (now_ns, request)

    def end_slow(self, request: Request) -> None:
        """It is answered."""
        self._slow.pop(request.id, None)

    def all(self) -> list[tuple[int, Request]]:
        """Every request under way, with when it came (ns since the epoch); the oldest first."""
        found = [*self._slow.copy().values(), *((self._began_ns, request) for request in self._batch)]
        return sorted(found, key=lambda item: item[0])


def described(unsealed: Unsealed, started_ns: int, request: Request) -> Described:
    """A request, without anything that its token could be found by."""
    connection = request.connection
    address = f"{connection.remote_address}:{connection.remote_port}" if connection.remote_address else ""
    return {
        "start_time": rfc3339(started_ns),
        "client_remote_address": address,
        "request_path": f"/v1/{request.path}",
        "request_method": request.method,
        "client_id": _client_id(unsealed, request),
    }


def _client_id(unsealed: Unsealed, request: Request) -> str:
    """The same for every request with the same token, and of no use for anything else."""
    if request.token is None:
        return ""
    return hashlib.sha256(b"client id\0" + unsealed.tokens.id_of(request.token).encode()).hexdigest()
