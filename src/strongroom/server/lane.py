"""Where slow requests wait for a thread: so many at most, by turns among the addresses that they come from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.http.message import HttpResponse

Respond = Callable[[HttpResponse], None]


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A request that waits. ``address`` is as whom its client counts; ``deadline`` is on the monotonic clock."""

    number: int
    work: Callable[[], HttpResponse]
    respond: Respond
    address: str
    deadline: float


class Lane:
    """So many ``places`` for requests that wait or run. Not safe between threads: whoever uses it holds a lock.

    Addresses take turns, so that one that asks much waits for itself. Where all places are taken, the address with most of those that
    wait gives its newest one up for a client that has fewer.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._lines: dict[str, deque[Waiting]] = {}
        self._waiting = 0
        self._running = 0

    def __len__(self) -> int:
        return self._waiting

    def enter(self, one: Waiting) -> Waiting | None:
        """Let ``one`` wait. Answers who has to go for that: nobody, somebody else, or ``one`` itself."""
        out = None
        if self._waiting + self._running >= self._places:
            out = self._crowded_out_by(one.address)
            if out is None:
                return one
        self._lines.setdefault(one.address, deque()).append(one)
        self._waiting += 1
        return out

    def next(self) -> Waiting | None:
        """Whose turn it is; it runs from now on. None where nobody waits."""
        for address in self._lines:
            # To the end of the row: whoever had a turn comes after those that had none yet.
            line = self._lines.pop(address)
            one = line.popleft()
            if line:
                self._lines[address] = line
            self._waiting -= 1
            self._running += 1
            return one
        return None

    def done(self) -> None:
        """One that ran is over."""
        self._running -= 1

    def leave(self, one: Waiting) -> None:
        """Wait no more: ``one``, which waits."""
        self._remove(self._lines[one.address], one)

    def _crowded_out_by(self, address: str) -> Waiting | None:
        longest = max(self._lines.values(), key=len, default=None)
        # With one more place the newcomer's address must still not have more than the other: else they would take turns at it.
        if longest is None or len(longest) < len(self._lines.get(address, ())) + 2:
            return None
        one = longest[-1]
        self._remove(longest, one)
        return one

    def _remove(self, line: deque[Waiting], one: Waiting) -> None:
        line.remove(one)
        self._waiting -= 1
        if not line:
            del self._lines[one.address]
