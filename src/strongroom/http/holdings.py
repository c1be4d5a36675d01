"""What clients have this process keep in memory: bodies that are not complete or not answered, and answers that are not taken.

There is one bound for all of it. Where it is passed, whoever keeps most pays, and not whoever comes next: of the address that keeps most
in all, the connection that keeps most. So a client that fills the memory and falls silent makes room for the others.
"""

from __future__ import annotations

from typing import Protocol


class Holder(Protocol):
    """A connection that has something kept."""

    address: str

    @property
    def can_let_go(self) -> bool:
        """Whether its end would free what it keeps: not while somebody works on its request."""
        ...

    def let_go(self) -> None:
        """End, because too much is kept. Nothing is kept for it afterwards."""
        ...


class Holdings:
    """How many bytes are kept, and for whom. Belongs to the loop's thread."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._kept: dict[Holder, int] = {}
        self.total = 0

    def keep(self, holder: Holder, count: int) -> None:
        """So many bytes are kept for ``holder`` from now on, in place of what was before."""
        self.total += count - self._kept.get(holder, 0)
        if count:
            self._kept[holder] = count
        else:
            self._kept.pop(holder, None)

    def make_room(self) -> None:
        """Have as many let go as have to, so that no more than the bound is kept. Nothing happens where it is not passed."""
        while self.total > self._bound:
            most = self._most()
            if most is None:
                return  # all of it is being worked on
            most.let_go()

    def _most(self) -> Holder | None:
        of_address: dict[str, int] = {}
        for holder, count in self._kept.items():
            of_address[holder.address] = of_address.get(holder.address, 0) + count
        able = [holder for holder in self._kept if holder.can_let_go]
        return max(able, key=lambda holder: (of_address[holder.address], self._kept[holder]), default=None)
