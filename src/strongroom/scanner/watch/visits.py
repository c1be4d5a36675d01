"""Asks in the name of one feed: its token goes to its own hosts alone, redirects are checked step by step, and pauses are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urljoin

from strongroom.scanner.watch.ask import Answer, Caller
from strongroom.scanner.watch.failures import FeedFailed, NotThere, Resting
from strongroom.scanner.watch.hosts import Guard, Origin, Target, parse_address
from strongroom.scanner.watch.pace import told

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_GONE = frozenset({400, 404, 405, 406, 409, 410, 413, 414, 415, 422, 451})
_DENIED = frozenset({401, 403})


class Rests(Protocol):
    """Remembers which hosts asked for a pause."""

    def rest_until(self, name: str) -> float:
        """When its pause ends, in seconds since the epoch; 0 without one."""
        ...

    def rest(self, name: str, until: float) -> None:
        """Remember a pause."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """A credential, and how it is shown: `header` with `prefix` before it. `read` gets it anew each time, for it may be replaced."""

    header: str
    prefix: str
    read: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visits:
    """How one feed asks. `now` is seconds since the epoch; `most` is how many bytes of a listing, or of an item, are read."""

    guard: Guard
    rests: Rests
    now: Callable[[], float]
    most: int
    token: Token | None = None
    headers: tuple[tuple[str, str], ...] = ()
    caller: Caller = field(default_factory=Caller)
    who: str = ""
    """Sets apart those who ask the same host with different tokens: their pauses are not the same."""

    def holding(self, most: int) -> Visits:
        """The same for answers of another size."""
        return replace(self, most=most)

    def ask(self, address: str, accept: str = "*/*", etag: str = "", modified: str = "") -> Answer:
        """What `address` answers: 200, or 304 if that matches `etag` or `modified`.

        Raises Resting where a pause is asked for, NotThere where nothing is to be had, FeedFailed for what may go better later.
        """
        target = parse_address(address)
        conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {"Accept": accept, **{name: value for name, value in conditions.items() if value}}
        shows_token = True
        for _ in range(_MOST_REDIRECTS + 1):
            # Who was led to our own host by another one does not show the token there: it was not us who wanted to go.
            shows_token = shows_token and target.origin in self.guard.own
            answer = self._answer(target, headers, shows_token=shows_token)
            if answer.status not in _REDIRECTS or not answer.headers.get("location"):
                return self._accepted(target.origin, answer)
            try:
                following = parse_address(urljoin(str(target), answer.headers["location"]))
            except ValueError:
                raise NotThere("it redirects to what is no address") from None
            if target.origin.scheme == "https" and following.origin.scheme != "https":
                raise NotThere("it redirects to an address that is not encrypted")
            target = following
        raise NotThere("it redirects again and again")

    def _answer(self, target: Target, headers: dict[str, str], *, shows_token: bool) -> Answer:
        origin = target.origin
        name = self._rest_name(origin)
        until = self.rests.rest_until(name)
        if until > self.now():
            raise Resting(f"{origin.host} asked for a pause", until)
        addresses = self.guard.addresses(origin)
        sent = {"User-Agent": "strongroom-watch", **dict(self.headers), **headers}
        if self.token is not None and shows_token:
            sent[self.token.header] = self.token.prefix + self.token.read()
        answer = self.caller.call(target, addresses, sent, self.most)
        pace = told(answer.status, answer.headers, answer.body, self.now())
        if pace.rest is not None:
            until = self.now() + pace.rest
            self.rests.rest(name, until)
            if pace.is_refused:
                raise Resting(f"{origin.host} asked for a pause", until)
        return answer

    def _accepted(self, origin: Origin, answer: Answer) -> Answer:
        status = answer.status
        if status in {200, 304}:
            return answer
        if status in _GONE:
            raise NotThere(f"{origin.host} answered {status}", status)
        if status in _DENIED:
            hint = "" if self.token is None else ": does its token still live, and may it read this?"
            raise NotThere(f"{origin.host} answered {status}{hint}", status)
        raise FeedFailed(f"{origin.host} answered {status}")

    def _rest_name(self, origin: Origin) -> str:
        return f"{origin} {self.who}" if origin in self.guard.own else str(origin)
