"""What this process is answering right now, for whoever asks while it does."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.logical.request import Request


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
