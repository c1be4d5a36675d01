"""What clients send with each of their requests is kept while they go on, and forgotten when they fall silent: their tokens are in it (SECURITY D-22)."""

from __future__ import annotations

from typing import Protocol

from strongroom.http.loop import Loop, Timer

SILENCE_SECONDS = 1.0
"""Who has asked nothing for so long is silent. It is noticed within as long again."""


class Keeps(Protocol):
    """What keeps something of a client."""

    def forget_if_silent(self) -> bool:
        """Forget it if the client is silent; whether nothing is kept any more."""
        ...


class Forgetting:
    """Belongs to the loop's thread. While nothing is kept it does nothing."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._keeping: list[Keeps] = []

    def begin(self, one: Keeps) -> None:
        """``one``, which is not here yet, keeps something from now on."""
        if not self._keeping:
            self._look_later()
        self._keeping.append(one)

    def _look_later(self) -> None:
        self._loop.set_deadline(Timer(self._look), self._loop.now + SILENCE_SECONDS)

    def _look(self) -> None:
        self._keeping = [one for one in self._keeping if not one.forget_if_silent()]
        if self._keeping:
            self._look_later()
