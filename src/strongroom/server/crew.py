"""The processes of one server: a leader and its followers, which serve the same sockets and the same store.

Each has its own loop, its own connections to the store and its own audit chain; caches are good for one epoch of the store, so
nothing needs to be told when data changes. The leader alone opens and closes the vault, hands the root key to the others, and runs
what is declared slow: whatever is kept in memory between requests (shares that were given, counts of logins under way) is in one
place. A follower sends it such requests as they came. The leader also decides about the end: a follower that is asked to stop asks
the leader, and it goes on answering forwarded requests until the last follower is gone. If one of the processes dies, all stop: like
a crash of a single process.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from strongroom.http.errors import encode_error
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.ambient import Clock
from strongroom.logical.errors import UpstreamFailed
from strongroom.server.commons import Commons
from strongroom.server.doorman import Asks
from strongroom.server.frames import ForwardedAnswer, ForwardedRequest, Kind, Link, UnderWay
from strongroom.server.process import scrub_cache
from strongroom.server.standstill import Standstill
from strongroom.system.node import Node
from strongroom.system.under_way import Described

FOLLOW_SECONDS = 15.0
"""How long a follower may take to open or close the vault before it is ended; at the start it also gets ready in that time."""
STEERING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""The signals that steer a server. ``muster`` holds them back until the process has said what they mean."""
UNDER_WAY_SECONDS = 1.0
"""How long the leader waits to hear what its followers are answering."""
_KILL_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1

_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(ForwardedRequest).decode
_decode_under_way = msgspec.msgpack.Decoder(UnderWay).decode
_decode_answer = msgspec.msgpack.Decoder(ForwardedAnswer).decode


class Duties(Protocol):
    """What a process does when another one wants it. Each is called from the thread that listens to that process, and must not block."""

    def take(self, asked: Asks) -> None:
        """Answer a follower's request."""
        ...

    def begin_stop(self) -> None:
        """Finish what is under way and end."""
        ...

    def mate_gone(self) -> None:
        """A follower's requests are over, whatever ended it."""
        ...

    def lose(self) -> None:
        """Another process died, could not follow or gave up: seal and end at once. May be called more than once."""
        ...

    def failed(self, failure: Exception) -> None:
        """A mistake of ours ended the listening."""
        ...

    def scrub(self) -> None:
        """Overwrite what was freed in this process."""
        ...


class Mate:
    """A follower, as the leader sees it."""

    def __init__(self, pid: int, link: Link) -> None:
        self.pid = pid
        self.link = link
        self.is_gone = False
        self.followed = threading.Event()
        self.told = threading.Condition()
        self.under_way = UnderWay(0)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A follower's request, answered over its link."""

    request: HttpRequest
    number: int
    link: Link

    def respond(self, response: HttpResponse) -> None:
        """Send the answer back; a follower that is gone needs none."""
        answer = ForwardedAnswer(self.number, response.status, tuple(response.headers), bytes(response.body))
        with contextlib.suppress(OSError):
            self.link.send(Kind.ANSWER, _encode(answer))


class Leader:
    """The process that was started. Implements ``system.node.Siblings``, whose calls must not come two at a time."""

    def __init__(
        self, mates: list[Mate], commons: Commons, clock: Clock, *, follow_seconds: float = FOLLOW_SECONDS
    ) -> None:
        self.commons = commons
        self._mates = mates
        self._clock = clock
        self._follow_seconds = follow_seconds
        self._numbers = itertools.count(1)
        self._is_stopping = False
        self._standstill = Standstill([mate.pid for mate in mates], lambda pid: _kill(pid, signal.SIGKILL))

    @property
    def followers(self) -> int:
        """How many there are."""
        return len(self._mates)

    def start(self, duties: Duties) -> None:
        """Listen to the followers from now on."""
        for mate in self._mates:
            threading.Thread(target=self._listen, args=(mate, duties), name=f"follower-{mate.pid}", daemon=True).start()
        self._standstill.start()

    def unsealed(self, root_key: bytearray) -> None:
        """Have every follower open the vault."""
        self._tell(Kind.UNSEAL, root_key)

    def sealed(self) -> None:
        """Have every follower wipe its keys."""
        self._tell(Kind.SEAL, b"")

    def under_way(self) -> dict[str, Described]:
        """What the followers are answering right now, by request id. Who does not say so within a second is left out."""
        number = next(self._numbers)
        for mate in self._mates:
            with contextlib.suppress(OSError):
                mate.link.send(Kind.UNDER_WAY, _encode(UnderWay(number)))
        deadline = self._clock.monotonic() + UNDER_WAY_SECONDS
        found: dict[str, Described] = {}
        for mate in self._mates:
            with mate.told:
                mate.told.wait_for(
                    lambda mate=mate: mate.is_gone or mate.under_way.number >= number,  # type: ignore[misc]  # a default binds it
                    max(0.0, deadline - self._clock.monotonic()),
                )
                found.update(mate.under_way.requests if mate.under_way.number >= number else {})
        return found

    def root_key_coming(self, root_key: bytearray) -> None:
        """Have every follower expect another root key."""
        self._tell(Kind.ROOT_KEY_COMING, root_key)

    def root_key_settled(self) -> None:
        """Have every follower go on with the one that is stored."""
        self._tell(Kind.ROOT_KEY_SETTLED, b"")

    def scrub(self) -> None:
        """Have every follower overwrite what it freed. Does not wait for it."""
        for mate in self._mates:
            with contextlib.suppress(OSError):
                mate.link.send(Kind.SCRUB)

    def reload(self) -> None:
        """Pass SIGHUP on."""
        for mate in self._mates:
            _kill(mate.pid, signal.SIGHUP)

    def stop(self) -> None:
        """Have every follower finish what is under way and end."""
        self._is_stopping = True
        for mate in self._mates:
            with contextlib.suppress(OSError):
                mate.link.send(Kind.STOP)

    def abandon(self) -> None:
        """Say no more and hear no more: every follower then ends by itself, at once."""
        self._is_stopping = True
        for mate in self._mates:
            mate.link.end()

    def wait(self, seconds: float) -> None:
        """Wait for the followers' end, and end those that have not come to one after ``seconds``."""
        deadline = self._clock.monotonic() + seconds
        self._standstill.stop()
        for mate in self._mates:
            if not _ends_by(mate.pid, max(0.0, deadline - self._clock.monotonic())):
                _kill(mate.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(mate.pid, 0)
            mate.link.end()

    def _tell(self, kind: Kind, payload: bytes | bytearray) -> None:
        for mate in self._mates:
            mate.followed.clear()
            try:
                mate.link.send(kind, payload)
            except OSError:
                mate.followed.set()  # it is gone, and its keys with it; its listener thread says so
        deadline = self._clock.monotonic() + self._follow_seconds
        for mate in self._mates:
            # Looked at after the clearing: the listener thread sets the one first and then the other.
            if mate.is_gone or mate.followed.wait(max(0.0, deadline - self._clock.monotonic())):
                continue
            # Only its end makes sure that nobody has a key when we say so. Its listener thread hears of it.
            _kill(mate.pid, signal.SIGKILL)
            _ends_by(mate.pid, _KILL_SECONDS)

    def _listen(self, mate: Mate, duties: Duties) -> None:
        try:
            while (frame := mate.link.receive()) is not None:
                self._hear(mate, duties, *frame)
        except Exception as failure:  # noqa: BLE001 -- a thread that ends in silence would leave its requests without an answer
            duties.failed(failure)
        finally:
            # Whatever ended this: nobody answers that follower's requests any more.
            mate.is_gone = True
            mate.followed.set()
            with mate.told:
                mate.told.notify_all()
            duties.mate_gone()
            if not self._is_stopping:
                duties.lose()

    def _hear(self, mate: Mate, duties: Duties, kind: Kind, payload: bytearray) -> None:
        if kind is Kind.FORWARD:
            forwarded = _decode_request(payload)
            duties.take(Forwarded(forwarded.http(), forwarded.number, mate.link))
        elif kind is Kind.DONE:
            mate.followed.set()
            # The vault opened, closed or changed its keys: requests with shares came through this thread.
            scrub_cache()
        elif kind is Kind.STOP:
            duties.begin_stop()
        elif kind is Kind.UNDER_WAY:
            with mate.told:
                mate.under_way = _decode_under_way(payload)
                mate.told.notify_all()
        elif kind is Kind.GIVE_UP:
            duties.lose()


class Follower:
    """A process that the leader started. A leader that stands still holds up all others, and is ended like one of them."""

    def __init__(self, link: Link, commons: Commons, leader_pid: int = 0) -> None:
        self.commons = commons
        self._link = link
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Asks] = {}
        self._standstill = Standstill([leader_pid] if leader_pid else [], _end_leader)

    def start(self, node: Node, duties: Duties) -> None:
        """Follow the leader from now on."""
        self._standstill.start()
        threading.Thread(target=self._listen, args=(node, duties), name="leader", daemon=True).start()

    def forward(self, exchange: Asks) -> None:
        """Have the leader answer."""
        number = next(self._numbers)
        self._waiting[number] = exchange
        try:
            self._link.send(Kind.FORWARD, _encode(ForwardedRequest.of(number, exchange.request)))
        except OSError:
            # Whoever takes an entry out answers its client; taking is atomic.
            if self._waiting.pop(number, None) is not None:
                exchange.respond(encode_error(UpstreamFailed("the server is stopping; try again in a moment")))

    def ask_to_stop(self) -> None:
        """Have the leader end this server."""
        with contextlib.suppress(OSError):  # it is gone already
            self._link.send(Kind.STOP)

    def give_up(self) -> None:
        """Tell the leader that the store failed here, and that all must stop."""
        with contextlib.suppress(OSError):
            self._link.send(Kind.GIVE_UP)

    def _listen(self, node: Node, duties: Duties) -> None:
        try:
            while (frame := self._link.receive()) is not None:
                self._hear(node, duties, *frame)
        except Exception as failure:  # noqa: BLE001 -- what the leader could do and we cannot: nobody should go on
            duties.failed(failure)
        finally:
            self._standstill.stop()
            self._link.end()
            duties.lose()

    def _hear(self, node: Node, duties: Duties, kind: Kind, payload: bytearray) -> None:
        if kind is Kind.ANSWER:
            answer = _decode_answer(payload)
            exchange = self._waiting.pop(answer.number, None)
            if exchange is not None:
                exchange.respond(answer.http())
        elif kind is Kind.UNSEAL:
            node.adopt(payload)
            self._link.send(Kind.DONE)
        elif kind is Kind.SEAL:
            node.seal()
            self._link.send(Kind.DONE)
            scrub_cache()
        elif kind is Kind.UNDER_WAY:
            asked = _decode_under_way(payload)
            self._link.send(Kind.UNDER_WAY, _encode(UnderWay(asked.number, node.under_way())))

        elif kind is Kind.ROOT_KEY_COMING:
            node.expect_root_key(payload)
            self._link.send(Kind.DONE)
        elif kind is Kind.ROOT_KEY_SETTLED:
            node.settle_root_key()
            self._link.send(Kind.DONE)
        elif kind is Kind.SCRUB:
            duties.scrub()
            scrub_cache()
        elif kind is Kind.STOP:
            duties.begin_stop()


def muster(commons: Commons, clock: Clock) -> Leader | Follower:
    """Become as many processes as ``commons`` was made for. Returns in each of them: as the leader in the first one, as a follower in the others.

    Must run before there is any thread or open database in this process. ``STEERING`` is blocked afterwards, in all of them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STEERING)
    leader_pid = os.getpid()
    mates: list[Mate] = []
    for row in range(1, commons.processes):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for mate in mates:
                mate.link.forget()
            _die_with(leader_pid)
            return Follower(Link(theirs), commons.of_row(row), leader_pid)
        theirs.close()
        mates.append(Mate(pid, Link(ours)))
    return Leader(mates, commons, clock)


def _die_with(leader_pid: int) -> None:
    """End at once when the leader does, whatever ended it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != leader_pid:
        os._exit(1)


def _end_leader(pid: int) -> None:
    # As long as it is our parent its number is nobody else's; and we end with it.
    if os.getppid() == pid:
        _kill(pid, signal.SIGKILL)


def _kill(pid: int, number: int) -> None:
    # Until we have waited for it, a child's number is nobody else's, so this cannot reach a stranger.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _ends_by(pid: int, seconds: float) -> bool:
    """Whether the child ended within ``seconds``."""
    with _process(pid) as descriptor:
        if descriptor is None:
            return True
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        return bool(ended.poll(int(seconds * 1000)))


@contextlib.contextmanager
def _process(pid: int) -> Iterator[int | None]:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
