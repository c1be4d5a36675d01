"""The processes of one server: a leader and its followers, which serve the same sockets and the same store.

Each has its own loop, its own connections to the store and its own audit chain; caches are good for one epoch of the store, so
nothing needs to be told when data changes. The leader alone opens and closes the vault, hands the root key to the others, and runs
what is declared slow: whatever is kept in memory between requests (shares that were given, counts of logins under way) is in one
place. A follower sends it such requests as they came. If one of the processes dies, all stop: like a crash of a single process.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from strongroom.crypto.aead import Damaged
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.errors import UpstreamFailed
from strongroom.physical.store import Unavailable
from strongroom.server.doorman import Asks
from strongroom.server.frames import ForwardedAnswer, ForwardedRequest, Kind, Link
from strongroom.system.node import Node
from strongroom.telemetry.board import Board, Place

FOLLOW_SECONDS = 5.0
"""How long a follower may take to open or close the vault before it counts as lost."""
STOP_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1

_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(ForwardedRequest).decode
_decode_answer = msgspec.msgpack.Decoder(ForwardedAnswer).decode


class Mate:
    """A follower, as the leader sees it."""

    def __init__(self, pid: int, link: Link) -> None:
        self.pid = pid
        self.link = link
        self.followed = threading.Event()


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A follower's request, answered over its link."""

    request: HttpRequest
    number: int
    link: Link

    def respond(self, response: HttpResponse) -> None:
        """Send the answer back; a follower that is gone needs none."""
        answer = ForwardedAnswer(self.number, response.status, tuple(response.headers), bytes(response.body))
        try:
            self.link.send(Kind.ANSWER, _encode(answer))
        except OSError:
            return


class Leader:
    """The process that was started. Implements ``system.node.Siblings``."""

    def __init__(self, mates: list[Mate], place: Place) -> None:
        self.place = place
        self._mates = mates
        self._stopping = False
        self._on_lost: Callable[[], None] = lambda: None

    def start(self, take: Callable[[Asks], None], on_lost: Callable[[], None]) -> None:
        """Listen to the followers: ``take`` gets their requests, ``on_lost`` hears that one died or gave up."""
        self._on_lost = on_lost
        for mate in self._mates:
            threading.Thread(target=self._listen, args=(mate, take), name=f"follower-{mate.pid}", daemon=True).start()

    def unsealed(self, root_key: bytearray) -> None:
        """Have every follower open the vault."""
        self._tell(Kind.UNSEAL, root_key)

    def sealed(self) -> None:
        """Have every follower wipe its keys."""
        self._tell(Kind.SEAL, b"")

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        for mate in self._mates:
            try:
                os.kill(mate.pid, number)
            except ProcessLookupError:
                continue

    def stop(self) -> None:
        """Have every follower finish what is under way and end."""
        self._stopping = True
        self.signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait for the followers' end, and end those that do not come to one."""
        for mate in self._mates:
            timer = threading.Timer(STOP_SECONDS, os.kill, (mate.pid, signal.SIGKILL))
            timer.start()
            try:
                os.waitpid(mate.pid, 0)
            except ChildProcessError:
                continue
            finally:
                timer.cancel()
            mate.link.close()

    def _tell(self, kind: Kind, payload: bytes | bytearray) -> None:
        for mate in self._mates:
            mate.followed.clear()
            try:
                mate.link.send(kind, payload)
            except OSError:
                continue  # its listener thread sees the end and says so
        if not all(mate.followed.wait(FOLLOW_SECONDS) for mate in self._mates):
            self._lose()

    def _listen(self, mate: Mate, take: Callable[[Asks], None]) -> None:
        while (frame := mate.link.receive()) is not None:
            kind, payload = frame
            if kind is Kind.FORWARD:
                forwarded = _decode_request(payload)
                take(Forwarded(forwarded.http(), forwarded.number, mate.link))
            elif kind is Kind.DONE:
                mate.followed.set()
            elif kind is Kind.STOP:
                self._lose()
        self._lose()

    def _lose(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._on_lost()


class Follower:
    """A process that the leader started."""

    def __init__(self, link: Link, place: Place) -> None:
        self.place = place
        self._link = link
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Asks] = {}
        self._lock = threading.Lock()

    def start(self, node: Node, on_lost: Callable[[], None]) -> None:
        """Follow the leader; ``on_lost`` hears that it is gone."""
        threading.Thread(target=self._listen, args=(node, on_lost), name="leader", daemon=True).start()

    def forward(self, exchange: Asks) -> None:
        """Have the leader answer."""
        number = next(self._numbers)
        with self._lock:
            self._waiting[number] = exchange
        try:
            self._link.send(Kind.FORWARD, _encode(ForwardedRequest.of(number, exchange.request)))
        except OSError:
            with self._lock:
                self._waiting.pop(number, None)
            exchange.respond(encode_error(UpstreamFailed("the server is stopping; try again in a moment")))

    def give_up(self) -> None:
        """Tell the leader that the store failed here, and that all must stop."""
        try:
            self._link.send(Kind.STOP)
        except OSError:
            return  # it is gone already

    def _listen(self, node: Node, on_lost: Callable[[], None]) -> None:
        while (frame := self._link.receive()) is not None:
            kind, payload = frame
            if kind is Kind.ANSWER:
                answer = _decode_answer(payload)
                with self._lock:
                    exchange = self._waiting.pop(answer.number, None)
                if exchange is not None:
                    exchange.respond(answer.http())
            elif kind is Kind.UNSEAL:
                self._open(node, payload)
            elif kind is Kind.SEAL:
                node.seal()
                self._link.send(Kind.DONE)
        on_lost()

    def _open(self, node: Node, root_key: bytearray) -> None:
        try:
            node.adopt(root_key)
        except (Damaged, LookupError, Unavailable):
            self.give_up()  # what the leader could open we cannot: nobody should go on
        else:
            self._link.send(Kind.DONE)


def muster(workers: int) -> Leader | Follower:
    """Become ``workers`` processes. Returns in each of them: as the leader in the first one, as a follower in the others.

    Must run before there is any thread or open database in this process.
    """
    leader_pid = os.getpid()
    mates: list[Mate] = []
    board = Board(workers)  # shared, because it is there before the others are
    for row in range(1, workers):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for mate in mates:
                mate.link.forget()
            _die_with(leader_pid)
            return Follower(Link(theirs), Place(board, row))
        theirs.close()
        mates.append(Mate(pid, Link(ours)))
    return Leader(mates, Place(board))


def _die_with(leader_pid: int) -> None:
    """End at once when the leader does, whatever ended it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != leader_pid:
        os._exit(1)
