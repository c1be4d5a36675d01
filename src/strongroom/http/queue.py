"""The requests that wait for their turn: who comes next, and who is refused unread because too many came (ADR 0013).

While the server keeps up nothing waits here longer than a batch. Where somebody has waited too long and there is no room in the next batch
either, more is asked than can be answered. Then whoever waited that long is refused at once, which costs a small part of an answer, and the
newest come first: their clients still wait. Clients take turns by address, so that one who asks too much pays for it and not the others.
What must work in any case is not refused; but it has no more than half of a batch while others wait.

How many requests a batch has depends on how long they take: it shall be over soon enough for those who come meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.http.shared import Exchange


@dataclass(frozen=True, slots=True)
class Patience:
    """``wait`` is after how many seconds of waiting there are too many, and ``batch`` how many requests are answered together at most.

    ``least_wait`` is how long a request may wait while there are too many: a client that will not be served shall know soon, and its
    connection be free for the next. ``round`` is how many seconds that shall take, for which batches get smaller, down to ``batch_least``.
    """

    wait: float = 0.2
    least_wait: float = 0.05
    batch: int = 128
    batch_least: int = 24
    round: float = 0.04


_SMOOTHING = 0.2
"""How much the last batch counts in what a request is expected to take."""

Line = deque[tuple[float, Exchange]]
"""Those who wait, with when they came; the oldest first."""


class Queue:
    """Belongs to the loop's thread. ``is_vital`` says of a request's target whether it must be answered in any case."""

    def __init__(self, patience: Patience, is_vital: Callable[[str], bool]) -> None:
        self._patience = patience
        self._is_vital = is_vital
        self._lines: dict[str, Line] = {}
        self._vital: Line = deque()
        self._waiting = 0
        self._is_overloaded = False
        self._seconds_each = 0.0
        self.shed = 0
        """How many were refused unread so far."""

    def __len__(self) -> int:
        return self._waiting + len(self._vital)

    @property
    def is_overloaded(self) -> bool:
        """Whether more is asked than can be answered. It ends when a batch has room for all who wait."""
        return self._is_overloaded

    @property
    def room(self) -> int:
        """How many requests the next batch may have."""
        patience = self._patience
        if not self._seconds_each:
            return patience.batch
        return min(patience.batch, max(patience.batch_least, int(patience.round / self._seconds_each)))

    def took(self, requests: int, seconds: float) -> None:
        """So long a batch of so many requests took."""
        if requests >= self._patience.batch_least:
            self._seconds_each += _SMOOTHING * (seconds / requests - self._seconds_each)

    def put(self, exchange: Exchange, now: float) -> None:
        """It came now."""
        if self._is_vital(exchange.request.target):
            self._vital.append((now, exchange))
            return
        line = self._lines.get(exchange.address)
        if line is None:
            line = self._lines[exchange.address] = deque()
        line.append((now, exchange))
        self._waiting += 1

    def take(self, now: float) -> tuple[list[Exchange], list[Exchange]]:
        """The next batch, and those that are to be refused."""
        room = self.room
        if len(self) <= room:
            self._is_overloaded = False
            return self._next(room), []
        wait = self._patience.least_wait if self._is_overloaded else self._patience.wait
        refused = self._refuse_older_than(now - wait, self._waiting + self._vital_in(room) - room)
        return self._next(room), refused

    def _refuse_older_than(self, moment: float, most: int) -> list[Exchange]:
        refused: list[Exchange] = []
        # From the longest line first: who asks most is refused first.
        for line in sorted(self._lines.values(), key=len, reverse=True):
            while line and line[0][0] < moment and len(refused) < most:
                refused.append(line.popleft()[1])
        if refused:
            self._is_overloaded = True
            self._waiting -= len(refused)
            self.shed += len(refused)
        return refused

    def _vital_in(self, room: int) -> int:
        """How many of those that are vital have a place among so many: half, and what the others leave."""
        return min(len(self._vital), max(room // 2, room - self._waiting))

    def _next(self, room: int) -> list[Exchange]:
        batch = [self._vital.popleft()[1] for _ in range(self._vital_in(room))]
        newest_first, lines = self._is_overloaded, self._lines
        while self._waiting and len(batch) < room:
            for address in list(lines)[: room - len(batch)]:
                # To the end of the row: whoever had a turn comes after those that had none yet.
                line = lines.pop(address)
                if line:
                    batch.append((line.pop() if newest_first else line.popleft())[1])
                    self._waiting -= 1
                if line:
                    lines[address] = line
        return batch
