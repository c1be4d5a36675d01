"""One resource of the web, by its address: what is asked is checked step by step, and bounded in bytes and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urljoin

from strongroom.scanner.containers import Limits, expand_stream
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.watch.ask import Caller, Incoming
from strongroom.scanner.watch.failures import FeedFailed, NotThere
from strongroom.scanner.watch.hosts import Guard, Origin, Resolve, Target, parse_address, resolve

TIMEOUT = 30.0
"""Seconds that a connection, and each part of an answer, may take."""
DEADLINE = 1800.0
"""Seconds that the whole answer may take, with the scan of what came meanwhile."""
_LARGEST = 1 << 30
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"User-Agent": "strongroom-scan"}


class Url:
    """The resource at `address`. Raises ScanFailed for an address that is not to be asked.

    Without encryption only this machine is asked. Each name is resolved once, and the connection goes to what was checked. Whoever
    answers may redirect to another address on the same host, or to a public one on https; never into a private network, and never from https to
    what is not encrypted. More than `largest` bytes are not read. No proxy is asked, and no query is shown in reports: it may hold a credential.
    """

    def __init__(
        self,
        address: str,
        report: Report,
        *,
        limits: Limits | None = None,
        largest: int = _LARGEST,
        caller: Caller | None = None,
        resolving: Resolve = resolve,
    ) -> None:
        try:
            self._target = parse_address(address)
        except NotThere as failure:
            raise ScanFailed(f"the address is not asked, for {failure}: write https://HOST/PATH") from None
        self._guard = Guard(frozenset({self._target.origin}), resolving)
        self._report = report
        self._limits = limits or Limits()
        self._largest = largest
        self._caller = caller or Caller(TIMEOUT, DEADLINE)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """The answer, for whoever claims it."""
        shown = self._target.shown
        for _ in share.claim((shown,)):
            try:
                with ExitStack() as open_connections:
                    body = _Capped(self._answer(open_connections), self._largest)
                    yield from expand_stream(shown, body, self._limits, self._report)
                    if body.is_cut:
                        self._report(
                            Problem(shown, f"not scanned to its end: it is longer than {self._largest >> 20} MiB")
                        )
            except FeedFailed as failure:
                self._report(Problem(shown, f"not scanned: {failure}"))

    def _answer(self, open_connections: ExitStack) -> Incoming:
        """What the address answers, wherever it leads. Raises FeedFailed."""
        target = self._target
        known: dict[Origin, Sequence[str]] = {}
        for _ in range(_MOST_REDIRECTS + 1):
            # Asked once: a name must not mean another machine when it is led back to.
            if target.origin not in known:
                known[target.origin] = self._guard.addresses(target.origin)
            incoming = open_connections.enter_context(self._caller.answering(target, known[target.origin], _HEADERS))
            location = incoming.headers.get("location", "")
            if incoming.status not in _REDIRECTS or not location:
                if incoming.status != 200:
                    raise FeedFailed(f"{target.origin.host} answered {incoming.status}")
                return incoming
            open_connections.close()
            target = self._followed(target, location)
        raise FeedFailed("it redirects again and again")

    @staticmethod
    def _followed(target: Target, location: str) -> Target:
        try:
            following = parse_address(urljoin(str(target), location))
        except (ValueError, NotThere):
            raise FeedFailed("it redirects to an address that is not asked") from None
        if target.origin.scheme == "https" and following.origin.scheme != "https":
            raise FeedFailed("it redirects to an address that is not encrypted")
        return following


class _Capped:
    """The first bytes of an answer."""

    def __init__(self, answer: Incoming, largest: int) -> None:
        self._answer = answer
        self._left = largest
        self.is_cut = False

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes, as many as there are."""
        wanted = min(self._left, size if size >= 0 else 1 << 20)
        parts: list[bytes] = []
        while wanted and (part := self._answer.read(wanted)):
            parts.append(part)
            wanted -= len(part)
            self._left -= len(part)
        if not self._left and not self.is_cut:
            self.is_cut = bool(self._answer.read(1))
        return b"".join(parts)
