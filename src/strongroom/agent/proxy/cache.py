"""Answers in memory, bounded, by who asked for what; found again by the token, the lease, the accessor or the path that they are about.

Owns the bytes and how they go: overwritten when they are evicted, as far as Python allows that. Refuses to know which answers may be kept;
that is ``caching``. Neither tokens nor requests are kept: both are named by digests under a key that lives as long as the cache.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from strongroom.agent.proxy.calls import Call
from strongroom.logical.ambient import Entropy

ENTRIES_MAX = 1000
BYTES_MAX = 8 * 1024 * 1024
ENTRY_BYTES_MAX = 64 * 1024
# What does not change an answer, and differs between programs that should share one.
_NOT_IN_KEY = frozenset({"accept", "user-agent"})

Tag = bytes
"""Stands for a token, an accessor or a request."""


@dataclass(slots=True)
class Entry:
    """A kept answer. Instants and times are seconds of the monotonic clock.

    ``asked_with`` is the tag of the token that it hangs on, empty for an orphan; ``token`` that of the token in it, ``accessor`` that token's; ``lease`` names
    its lease. ``was_used`` says whether it was asked for since the last renewal.
    """

    key: Tag
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytearray = field(repr=False)
    asked_with: Tag = field(repr=False)
    made_at: float
    lifetime: float
    renewed_at: float
    confirmed_at: float
    token: Tag = field(default=b"", repr=False)
    accessor: Tag = field(default=b"", repr=False)
    lease: str = field(default="", repr=False)
    was_used: bool = True

    def hangs_on(self, token: Tag) -> bool:
        """Whether it holds this token, or was asked for with it."""
        return any(hmac.compare_digest(one, token) for one in (self.token, self.asked_with))

    @property
    def ends_at(self) -> float:
        """When the token or lease is over, unless it is renewed."""
        return self.renewed_at + self.lifetime


class Cache:
    """The kept answers, the least recently used go first. From any thread."""

    def __init__(self, entropy: Entropy, *, entries_max: int = ENTRIES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._secret = entropy.bytes(32)
        self._entries: OrderedDict[Tag, Entry] = OrderedDict()
        self._bytes = 0
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._turn = threading.RLock()
        self.evicted = 0
        """How many entries have gone."""

    def __repr__(self) -> str:
        return f"Cache({len(self._entries)} entries)"

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return self._bytes

    def tag(self, text: str) -> Tag:
        """What stands for a token or an accessor."""
        return hmac.digest(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def key(self, call: Call, token: str) -> Tag:
        """What stands for a request: everything of it that can change the answer."""
        headers = [part for pair in call.headers if pair[0] not in _NOT_IN_KEY for part in pair]
        parts = [token, call.method, call.target, *headers]
        digest = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in (*(text.encode("utf-8", "surrogatepass") for text in parts), call.body or b""):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    def find(self, key: Tag, now: float) -> tuple[Entry, bytes] | None:
        """The entry and a copy of its body, if it is there and not over."""
        with self._turn:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.ends_at <= now:
                self.evict(entry)
                return None
            self._entries.move_to_end(key)
            entry.was_used = True
            return entry, bytes(entry.body)

    def body_of(self, entry: Entry) -> bytes:
        """A copy of an entry's body; empty where it has gone."""
        with self._turn:
            return bytes(entry.body) if self._entries.get(entry.key) is entry else b""

    def put(self, entry: Entry) -> None:
        """Keep ``entry``, in place of one for the same request. Too large a body is not kept."""
        if len(entry.body) > ENTRY_BYTES_MAX:
            _wipe(entry.body)
            return
        with self._turn:
            old = self._entries.get(entry.key)
            if old is not None:
                self._drop(old)
            self._entries[entry.key] = entry
            self._bytes += len(entry.body)
            while len(self._entries) > self._entries_max or self._bytes > self._bytes_max:
                self.evicted += 1
                self._drop(next(iter(self._entries.values())))

    def entries(self) -> list[Entry]:
        """All of them, the least recently used first."""
        with self._turn:
            return list(self._entries.values())

    def of_token(self, token: Tag) -> Entry | None:
        """The entry that holds the token of this tag, as its answer."""
        with self._turn:
            return next((entry for entry in self._entries.values() if hmac.compare_digest(entry.token, token)), None)

    def evict(self, *entries: Entry) -> None:
        """Let these go, and what was asked for with tokens in them."""
        with self._turn:
            for entry in entries:
                if self._entries.get(entry.key) is entry:
                    self.evicted += 1
                    self._drop(entry)
                    if entry.token:
                        self.evict_token(entry.token)

    def evict_token(self, token: Tag) -> int:
        """Let go what holds this token and what was asked for with it, with everything that hangs on that; how many."""
        with self._turn:
            before, waiting, seen = len(self._entries), [token], {token}
            while waiting:
                gone = waiting.pop()
                for entry in self.entries():
                    if entry.hangs_on(gone):
                        self._drop(entry)
                        if entry.token and entry.token not in seen:
                            seen.add(entry.token)
                            waiting.append(entry.token)
            self.evicted += before - len(self._entries)
            return before - len(self._entries)

    def evict_where(self, is_meant: Callable[[Entry], bool]) -> int:
        """Let go whatever is meant, and what hangs on it; how many."""
        with self._turn:
            before = len(self._entries)
            self.evict(*(entry for entry in self.entries() if is_meant(entry)))
            return before - len(self._entries)

    def sweep(self, now: float) -> None:
        """Let go what is over, and what hangs on it."""
        with self._turn:
            self.evict(*(entry for entry in self.entries() if entry.ends_at <= now))

    def clear(self) -> int:
        """Let go everything; how many there were."""
        with self._turn:
            entries = self.entries()
            for entry in entries:
                self._drop(entry)
            self.evicted += len(entries)
            return len(entries)

    def _drop(self, entry: Entry) -> None:
        if self._entries.get(entry.key) is not entry:
            return
        del self._entries[entry.key]
        self._bytes -= len(entry.body)
        _wipe(entry.body)


def _wipe(body: bytearray) -> None:
    body[:] = bytes(len(body))
