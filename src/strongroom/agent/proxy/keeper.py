"""Answers a call from the cache or from the server, and looks after what is kept: confirms it, renews it, lets it go.

A kept token or lease may end elsewhere without the agent hearing of it. So before it is given out again after some seconds, the server is
asked whether it is still there. While the server does not answer it is given out until it is over: until then it is what was promised.
"""

from __future__ import annotations

import hmac
import threading
from typing import Any, NamedTuple

from strongroom.agent.proxy import caching
from strongroom.agent.proxy.cache import Cache, Entry
from strongroom.agent.proxy.calls import Call, NotForwarded, answered_headers
from strongroom.agent.proxy.upstream import Upstream
from strongroom.agent.token_source import TokenSource, same_token
from strongroom.client.errors import BadAnswer
from strongroom.client.http1 import Answer
from strongroom.logical.ambient import Clock

CONFIRMED_SECONDS = 15.0
"""How long the server's word that something is still there counts."""
_RENEWED_AFTER = 2 / 3
_ROUND_SECONDS = 5.0
_GONE = frozenset({400, 403, 404})


class Served(NamedTuple):
    """What the client gets. ``age`` is the seconds since the server gave it, None where it just did."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    age: int | None = None

    def __repr__(self) -> str:
        return f"Served({self.status}, age={self.age})"


class Keeper:
    """The cache before the server. From any thread."""

    def __init__(
        self, cache: Cache, upstream: Upstream, tokens: TokenSource, clock: Clock, *, is_caching: bool = True
    ) -> None:
        self._cache = cache
        self.is_caching = is_caching
        self._upstream = upstream
        self._tokens = tokens
        self._clock = clock
        self._under_way: dict[bytes, threading.Event] = {}
        self._turn = threading.Lock()
        self.hits = 0
        self.misses = 0

    def serve(self, call: Call, token: str) -> Served:
        """The answer to ``call`` with ``token``. Raises NotForwarded."""
        if not self.is_caching or not caching.may_be_kept(call):
            return self._forward(call, token)
        key = self._cache.key(call, token)
        if not caching.is_login(call):
            return self._kept(key, token) or self._ask(key, call, token)
        while True:
            with self._turn:
                other = self._under_way.get(key)
                if other is None:
                    mine = self._under_way[key] = threading.Event()
                    break
            other.wait(self._upstream.timeout_seconds)
        try:
            return self._kept(key, token) or self._ask(key, call, token)
        finally:
            with self._turn:
                del self._under_way[key]
            mine.set()

    def look_after(self) -> float:
        """Renew what is asked for and nears its end, and let go what is over; the seconds until this should happen again."""
        now = self._clock.monotonic()
        self._cache.sweep(now)
        for entry in self._cache.entries():
            if entry.was_used and now >= entry.renewed_at + entry.lifetime * _RENEWED_AFTER:
                self._renew(entry)
        return _ROUND_SECONDS

    def own_token_changed(self, old: str | None) -> None:
        """The agent has another token: what was asked for with the ``old`` one goes."""
        if old:
            self._cache.evict_token(self._cache.tag(old))

    def _kept(self, key: bytes, token: str) -> Served | None:
        now = self._clock.monotonic()
        found = self._cache.find(key, now)
        if found is None:
            return None
        entry, body = found
        if now - entry.confirmed_at >= CONFIRMED_SECONDS and not self._is_there(entry, token or caching.token_in(body)):
            self._cache.evict(entry)
            return None
        self.hits += 1
        return Served(200, entry.headers, body, age=int(now - entry.made_at))

    def _ask(self, key: bytes, call: Call, token: str) -> Served:
        self.misses += 1
        answer = self._send(call, token)
        served = _served(answer)
        found = caching.found_in(answer)
        if found is not None and self._is_looked_after(call, found, token):
            now = self._clock.monotonic()
            self._cache.put(
                Entry(
                    key=key,
                    path=call.path,
                    headers=served.headers,
                    body=bytearray(answer.body),
                    asked_with=b"" if found.is_orphan else self._cache.tag(token),
                    made_at=now,
                    lifetime=float(found.lifetime),
                    renewed_at=now,
                    confirmed_at=now,
                    token=self._cache.tag(found.token) if found.token else b"",
                    accessor=self._cache.tag(found.accessor) if found.accessor else b"",
                    lease=found.lease,
                )
            )
        return served

    def _is_looked_after(self, call: Call, found: caching.Found, token: str) -> bool:
        """Whether we hear of the end of what was found: it hangs on no token, or on one that the agent made or keeps."""
        if found.token and (found.is_orphan or not token):
            return True
        return bool(token) and (
            same_token(token, self._tokens.current()) or self._cache.of_token(self._cache.tag(token)) is not None
        )

    def _forward(self, call: Call, token: str) -> Served:
        self.misses += 1
        try:
            return _served(self._send(call, token))
        finally:
            caching.evict_what_ends(self._cache, call, token)

    def _send(self, call: Call, token: str) -> Answer:
        answer = self._upstream.send(call, token)
        if answer.status == 403 and token:
            self._doubt(token)
        return answer

    def _doubt(self, token: str) -> None:
        """The server said no: perhaps to this path alone, perhaps because the token has ended."""
        if same_token(token, self._tokens.current()):
            self._tokens.doubt(token)
        tag = self._cache.tag(token)
        for entry in self._cache.entries():
            if entry.hangs_on(tag):
                entry.confirmed_at = -CONFIRMED_SECONDS + self._clock.monotonic()

    def _is_there(self, entry: Entry, token: str) -> bool:
        """Ask the server whether the token, and the lease, of ``entry`` still are there. True where it does not answer."""
        try:
            own = caching.token_in(self._cache.body_of(entry)) or token
            if self._upstream.send(_call("GET", "auth/token/lookup-self"), own).status in _GONE:
                return False
            if entry.lease:
                asked = _call("PUT", "sys/leases/lookup", b'{"lease_id": %b}' % _json(entry.lease))
                # 403 says only that the token may not ask.
                if self._upstream.send(asked, own).status in _GONE - {403}:
                    return False
        except NotForwarded:
            return True
        entry.confirmed_at = self._clock.monotonic()
        return True

    def _renew(self, entry: Entry) -> None:
        token = caching.token_in(self._cache.body_of(entry)) or self._token_of(entry)
        if not token:
            return
        call = _call("PUT", "auth/token/renew-self", b'{"increment": 0}')
        if entry.lease:
            call = _call("PUT", "sys/leases/renew", b'{"lease_id": %b}' % _json(entry.lease))
        try:
            answer = self._upstream.send(call, token)
        except NotForwarded:
            return  # again in the next round, until it is over
        lifetime = _renewed(answer)
        if lifetime is None:
            if answer.status in _GONE:
                self._cache.evict(entry)
            return
        entry.renewed_at = entry.confirmed_at = self._clock.monotonic()
        entry.lifetime = float(lifetime)
        entry.was_used = False

    def _token_of(self, entry: Entry) -> str:
        """The token that ``entry`` was asked for with, if it is known."""
        current = self._tokens.current()
        if current and hmac.compare_digest(self._cache.tag(current), entry.asked_with):
            return current
        holder = self._cache.of_token(entry.asked_with)
        return caching.token_in(self._cache.body_of(holder)) if holder is not None else ""


def _served(answer: Answer) -> Served:
    if 300 <= answer.status < 400:
        raise NotForwarded(502, "the server sends the agent elsewhere; give the agent the address of the active node")
    return Served(answer.status, answered_headers(answer.headers), answer.body)


def _renewed(answer: Answer) -> int | None:
    if answer.status != 200:
        return None
    try:
        body: dict[str, Any] = answer.json() or {}
    except BadAnswer:
        return None
    auth = body.get("auth")
    duration = auth.get("lease_duration") if isinstance(auth, dict) else body.get("lease_duration")
    return duration if isinstance(duration, int) and duration > 0 else None


def _call(method: str, path: str, body: bytes | None = None) -> Call:
    return Call(method, f"/v1/{path}", path, (("content-type", "application/json"),) if body else (), "", body)


def _json(text: str) -> bytes:
    import json

    return json.dumps(text).encode()
