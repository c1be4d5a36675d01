"""What all conversations of a listener share: bounds, timeouts, counters, and the batch that this round gathers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from strongroom.http.forgetting import Forgetting
from strongroom.http.holdings import Holdings
from strongroom.http.loop import Loop
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.http.places import Places, Sitting
from strongroom.http.visitors import Visitors


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client may take, in seconds, for each step. A body and an answer may take a second more for each 16 KiB that passed, and
    at no time fall back by more than ``body`` and ``write``.

    ``wait`` is the server's own: how long a complete request may wait until work on it begins.
    """

    handshake: float = 10.0
    first_byte: float = 10.0
    head: float = 10.0
    body: float = 30.0
    idle: float = 120.0
    write: float = 30.0
    drain: float = 2.0
    wait: float = 90.0


class Talks(Protocol):
    """What an exchange and the listener need of a conversation."""

    address: str

    def answer(self, request: HttpRequest, response: HttpResponse) -> None:
        """Send the answer to the request in flight."""
        ...

    def shed(self, request: HttpRequest) -> None:
        """Refuse the request in flight, because too many came."""
        ...

    def park(self) -> None:
        """The answer comes later."""
        ...

    def resume(self) -> None:
        """Look for the next request in what was already received."""
        ...

    def end_if_idle(self) -> None:
        """Close unless a request is under way."""
        ...

    def close(self) -> None:
        """End now."""
        ...


class Stays(Talks, Sitting, Protocol):
    """A conversation that takes a place."""


@dataclass(slots=True)
class Shared:
    """The state of one listener. It belongs to the loop's thread."""

    loop: Loop
    visitors: Visitors
    on_failure: Callable[[Exception], None]
    stopping: bool = False
    date: bytes = b""
    overloaded: bytes = b""
    """The answer to a request that is refused unread, ready to be sent."""
    handshakes: int = 0
    """How many more of the handshakes that are under way may go on in this round."""
    batch: list[Exchange] = field(default_factory=list)
    ready: list[Talks] = field(default_factory=list)
    answered: list[tuple[Exchange, HttpResponse]] = field(default_factory=list)
    conversations: set[Stays] = field(default_factory=set)
    holdings: Holdings = field(init=False)
    places: Places = field(init=False)
    forgetting: Forgetting = field(init=False)

    def __post_init__(self) -> None:
        """What is kept for clients has the bound that the visitors have."""
        self.holdings = Holdings(self.visitors.bounds.buffered_bytes)
        self.places = Places(self.visitors, self.loop)
        self.forgetting = Forgetting(self.loop)

    def remember(self, conversation: Stays) -> None:
        """Keep a new connection, which was admitted."""
        self.conversations.add(conversation)

    def forget(self, conversation: Stays) -> None:
        """It is closed."""
        if conversation in self.conversations:
            self.conversations.discard(conversation)
            self.visitors.leave(conversation.address)


class Exchange:
    """One request and the one answer that it shall get.

    ``respond`` may be called from any thread: on the loop's own the answer is sent when the application has returned, from
    others the loop is woken. A second answer raises RuntimeError. It is not an error that the client has gone meanwhile.
    """

    __slots__ = ("_answered", "_conversation", "_shared", "request")

    def __init__(self, conversation: Talks, request: HttpRequest, shared: Shared) -> None:
        self._conversation = conversation
        self._shared = shared
        self._answered = False
        self.request = request

    @property
    def answered(self) -> bool:
        """Whether ``respond`` was called."""
        return self._answered

    def respond(self, response: HttpResponse) -> None:
        """Answer with ``response``."""
        if self._answered:
            raise RuntimeError("a request was answered twice")
        self._answered = True
        shared = self._shared
        if shared.loop.on_this_thread():
            shared.answered.append((self, response))
        else:
            shared.loop.call_soon(lambda: self.send(response))

    def send(self, response: HttpResponse) -> None:
        """Send ``response`` now. Only the listener calls this, on the loop's thread."""
        self._conversation.answer(self.request, response)

    @property
    def address(self) -> str:
        """Whom it is counted as."""
        return self._conversation.address

    def shed(self) -> None:
        """Refuse it now, unread. Only the listener calls this, on the loop's thread."""
        self._answered = True
        self._conversation.shed(self.request)

    def park(self) -> None:
        """Leave the client's socket alone until there is an answer."""
        self._conversation.park()
