"""Decoded entries of tokens that ask again and again, each good for one writing of its record.

Nothing is believed longer than that: whoever looks here has asked the store for the version first, in the transaction of the
request. There is no token in it, only what is stored of one.
"""

from __future__ import annotations

from typing import NamedTuple

from strongroom.logical.backend import Caller
from strongroom.tokens.entry import TokenEntry

ENTRIES_MAX = 4096
"""When so many are known all are forgotten; whoever asks again is known again."""


class _Known(NamedTuple):
    version: int
    entry: TokenEntry
    caller: Caller


class KnownTokens:
    """Safe to use from several threads. What it gives is shared: nobody may change it."""

    __slots__ = ("_by_id",)

    def __init__(self) -> None:
        self._by_id: dict[str, _Known] = {}

    def find(self, token_id: str, version: int) -> TokenEntry | None:
        """The entry as writing number ``version`` of its record has it, if it is known."""
        known = self._by_id.get(token_id)
        return known.entry if known is not None and known.version == version else None

    def remember(self, version: int, entry: TokenEntry) -> None:
        """Know ``entry`` from now on, unless it is one that its use changes, or is not committed (a negative version)."""
        if entry.use_limited or version < 0:
            return
        if len(self._by_id) >= ENTRIES_MAX:
            self._by_id = {}
        self._by_id[entry.id] = _Known(version, entry, entry.caller())

    def caller_of(self, entry: TokenEntry) -> Caller:
        """What handlers may know of it."""
        known = self._by_id.get(entry.id)
        return known.caller if known is not None and known.entry is entry else entry.caller()
