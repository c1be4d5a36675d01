"""Who gives a place up where all are taken: the address that has most of them, for one that has fewer.

So a few addresses that hold every connection that may be open keep nobody else out. Each process gives up its own connections alone; since
all take clients from the same sockets, each has some of whoever has many.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import Protocol

from strongroom.http.loop import NEVER, Loop
from strongroom.http.visitors import Visitors

_LOOK_SECONDS = 0.1
"""Looking at all connections costs a millisecond or two, so it is done this often at most."""
_NAMED_MAX = 512


class Use(IntEnum):
    """What a connection is used for; what comes first is given up first."""

    NOTHING = 0
    """It waits for a request to begin."""
    RECEIVING = 1
    SENDING = 2
    WORKING = 3
    """Somebody works on its request: never given up."""


class Sitting(Protocol):
    """An open connection. ``deadline`` is when its client must have gone on."""

    address: str
    deadline: float

    @property
    def use(self) -> Use:
        """What it is used for now."""
        ...

    @property
    def closed(self) -> bool:
        """It is over."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Places:
    """Finds who gives a place up. Belongs to the loop's thread."""

    def __init__(self, visitors: Visitors, loop: Loop) -> None:
        self._visitors = visitors
        self._loop = loop
        self._named: list[Sitting] = []
        """Who gives a place up next, the next one last."""
        self._looked_at = -NEVER

    def free_one_for(self, address: str, sitting: Collection[Sitting]) -> bool:
        """Close one of ``sitting`` if all places are taken and its address has more of them than ``address`` will have. Whether it was done."""
        visitors = self._visitors
        if not visitors.is_full:
            return False
        least = visitors.count(address) + 2
        now = self._loop.now
        if not self._named and now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._look(sitting, least)
        while self._named:
            one = self._named.pop()
            if not one.closed and one.use is not Use.WORKING and visitors.count(one.address) >= least:
                one.close()
                return True
        return False

    def _look(self, sitting: Collection[Sitting], least: int) -> None:
        counts: dict[str, int] = {}
        able: list[tuple[int, Use, float, int]] = []
        everybody = list(sitting)
        for number, one in enumerate(everybody):
            count = counts.get(one.address)
            if count is None:
                count = counts[one.address] = self._visitors.count(one.address)
            if count >= least and one.use is not Use.WORKING:
                # Of those that do the same the one whose client has been silent for longest.
                able.append((-count, one.use, one.deadline, number))
        able.sort()
        self._named = [everybody[number] for _, _, _, number in reversed(able[:_NAMED_MAX])]
