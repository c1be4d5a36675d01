"""Whoever tells which values are ours, watched over: once nobody can, the watch must not go on as if nothing were ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from strongroom.scanner.known.values import CannotAsk, KnownValues, Recognition


class WatchedOver:
    """The same as `known`, and remembers that it failed."""

    def __init__(self, known: KnownValues) -> None:
        self._known = known
        self.failure = ""
        """Why it could not be asked; empty so far as it could."""

    @property
    def patience(self) -> int:
        """That of who is asked."""
        return self._known.patience

    @property
    def heads(self) -> frozenset[bytes] | None:
        """Those of who is asked."""
        return self._known.heads

    def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
        """What is answered. Raises CannotAsk."""
        try:
            return self._known.ask(digests)
        except CannotAsk as failure:
            self.failure = str(failure)
            raise

    def forked(self) -> None:
        """Pass it on."""
        self._known.forked()
