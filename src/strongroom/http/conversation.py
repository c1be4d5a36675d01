"""One client's connection: reads requests, sends answers, keeps deadlines and bounds.

    HANDSHAKE → READING → ANSWERING → READING …
                   │          └→ WRITING (the socket is full) → READING
                   └→ (refused) WRITING → DRAINING → CLOSED

One request is in flight at a time: what a client pipelines waits in its parser, in order. While the application works on a
request that it did not answer in its batch, the socket is not watched at all.
"""

from __future__ import annotations

import socket
from enum import Enum

from strongroom import failpoints
from strongroom.http.errors import OVERLOADED, encode_error, refusal
from strongroom.http.forgetting import SILENCE_SECONDS
from strongroom.http.loop import NEVER, NOTHING, READABLE, WRITABLE
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.http.parser import Limits, Refused, RequestParser
from strongroom.http.places import Use
from strongroom.http.shared import Exchange, Shared, Timeouts
from strongroom.http.transport import Broken, Transport
from strongroom.http.writer import CONTINUE, SPEAK_TLS, serialize
from strongroom.logical.request import Connection

# A body may take the timeout and then one second more for each of these bytes, and so may an answer: whoever is slower only holds a place.
# Nobody saves time up: what came fast at first does not allow for a longer silence later.
_BYTES_PER_SECOND = 16 * 1024
# How many reads of one connection a round makes before the others have their turn.
_READS_PER_ROUND = 16
_DISCARDED_BYTES = 65536


class Phase(Enum):
    """What a conversation waits for."""

    HANDSHAKE = "handshake"
    READING = "reading"
    ANSWERING = "answering"
    WRITING = "writing"
    DRAINING = "draining"
    CLOSED = "closed"


class Conversation:
    """One connection, from accept to close. It belongs to the loop's thread."""

    __slots__ = (
        "_connection",
        "_descriptor",
        "_due",
        "_keeps_lines",
        "_kept",
        "_last",
        "_loop",
        "_outgoing",
        "_parser",
        "_phase",
        "_receiving",
        "_refused",
        "_shared",
        "_socket",
        "_timeouts",
        "_transport",
        "_watched",
        "address",
        "deadline",
        "scheduled",
    )

    def __init__(
        self,
        accepted: socket.socket,
        transport: Transport,
        connection: Connection,
        *,
        address: str,
        limits: Limits,
        timeouts: Timeouts,
        shared: Shared,
    ) -> None:
        self._socket = accepted
        self._descriptor = accepted.fileno()
        self._transport = transport
        self._connection = connection
        self._parser = RequestParser(limits, connection)
        self._timeouts = timeouts
        self._loop = shared.loop
        self._shared = shared
        self._phase = Phase.HANDSHAKE
        self._watched = NOTHING
        self._outgoing = memoryview(b"")
        self._last = False
        self._refused = False
        self._receiving = False
        self._due = NEVER
        self._kept = 0
        self._keeps_lines = False
        self.address = address
        self.deadline = NEVER
        self.scheduled = NEVER

    def begin(self) -> None:
        """Start with the handshake, which plain connections have behind them already."""
        self._loop.set_deadline(self, self._loop.now + self._timeouts.handshake)
        self._watch(READABLE)

    @property
    def closed(self) -> bool:
        """Nothing more will happen here."""
        return self._phase is Phase.CLOSED

    def on_event(self, mask: int) -> None:
        """The socket is ready, or broken: go on with what this phase waits for."""
        del mask  # reading or writing tells more exactly what happened
        phase = self._phase
        try:
            if phase is Phase.READING:
                self._read()
            elif phase is Phase.HANDSHAKE:
                self._shake_hands()
            elif phase is Phase.WRITING:
                self._write()
            elif phase is Phase.DRAINING:
                self._drain()
        except Broken as broken:
            if broken.plain_http:
                self._answer_plain_http()
            self.close()
        except Exception as failure:  # noqa: BLE001 -- whatever goes wrong here must cost this client alone
            self._shared.on_failure(failure)
            self.close()

    def on_deadline(self) -> None:
        """The client took too long. Whoever was sending a request is told; everybody is disconnected."""
        if self._phase is Phase.READING and self._receiving:
            self._refuse(Refused(408, "the request took too long to arrive"))
        else:
            self.close()

    def resume(self) -> None:
        """Look for the next request in what was already received."""
        if self._phase is Phase.READING:
            try:
                self._advance()
            except Broken:
                self.close()

    def park(self) -> None:
        """The application answers later: leave the socket alone until then."""
        if self._phase is Phase.ANSWERING:
            self._watch(NOTHING)

    def answer(self, request: HttpRequest, response: HttpResponse) -> None:
        """Send ``response`` to the request in flight. Without effect where the client is gone."""
        if self._phase is not Phase.ANSWERING:
            return
        self._keep(0)
        shared = self._shared
        self._last = shared.stopping or not self._parser.keep_alive
        head = request.method == "HEAD"
        try:
            content = serialize(
                response, date=shared.date, keep_alive=not self._last, without_body=head, request_id=request.id
            )
        except Exception as failure:  # noqa: BLE001 -- say a header that would not stay on its line: a mistake of ours
            shared.on_failure(failure)
            content = serialize(encode_error(failure), date=shared.date, keep_alive=not self._last, without_body=head)
        self._send(content)

    def shed(self, request: HttpRequest) -> None:
        """Refuse the request in flight, because too many came. Made to be cheap: under overload most of the work is this."""
        if request.method == "HEAD" or self._shared.stopping or not self._parser.keep_alive:
            self.answer(request, OVERLOADED)
        elif self._phase is Phase.ANSWERING:
            self._keep(0)
            self._last = False
            self._send(self._shared.overloaded)

    def end_if_idle(self) -> None:
        """Close unless a request is arriving, in flight or being answered."""
        if self._phase is Phase.HANDSHAKE or (self._phase is Phase.READING and not self._parser.buffered):
            self.close()

    def forget_if_silent(self) -> bool:
        """Forget what the client sends with each request, if it has been silent for a while; whether nothing of it is kept any more."""
        since = (
            self.deadline - self._timeouts.idle
        )  # that of a client from which nothing arrives was set when its last answer left
        is_silent = self._phase is Phase.READING and not self._receiving and since <= self._loop.now - SILENCE_SECONDS
        if is_silent:
            self._parser.forget_lines()
            self._keeps_lines = False
        return is_silent or self.closed

    @property
    def use(self) -> Use:
        """What the connection is used for now."""
        if self._phase is Phase.ANSWERING:
            return Use.WORKING
        if self._phase is Phase.WRITING or self._phase is Phase.DRAINING:
            return Use.SENDING
        return Use.RECEIVING if self._receiving else Use.NOTHING

    @property
    def can_let_go(self) -> bool:
        """Whether a request is arriving or an answer leaving, and nobody works for this client meanwhile."""
        return self._phase is Phase.READING or self._phase is Phase.WRITING

    def let_go(self) -> None:
        """Too much is kept in memory, and most of it for this client: refuse what arrives, or drop what it does not take."""
        if self._phase is Phase.READING:
            self._refuse(Refused(429, "too many request bodies are arriving at once; try again"))
        else:
            self.close()

    def close(self) -> None:
        """End the conversation now. The descriptor is given back when the round is over."""
        if self._phase is Phase.CLOSED:
            return
        if self._phase is not Phase.DRAINING:
            self._transport.say_goodbye()
        self._phase = Phase.CLOSED
        self._watch(NOTHING)
        self._keep(0)
        self.deadline = NEVER
        self._loop.close_later(self._socket)
        self._shared.forget(self)
        # The timer's heap may hold on to this object for a while; what is large about it goes now.
        self._outgoing = memoryview(b"")
        self._parser.discard()
        del self._transport

    def _shake_hands(self) -> None:
        if self._shared.handshakes <= 0:
            return  # the socket stays ready, and its turn comes in another round
        self._shared.handshakes -= 1
        if self._transport.handshake(self._connection):
            self._phase = Phase.READING
            self._loop.set_deadline(self, self._loop.now + self._timeouts.first_byte)
            self._watch(READABLE)
            self._read()
        else:
            self._watch(WRITABLE if self._transport.wants_write else READABLE)

    def _read(self) -> None:
        for _ in range(_READS_PER_ROUND):
            received = self._transport.receive()
            if received is None:
                return
            if not received:
                self.close()
                return
            self._parser.feed(received)
            self._advance()
            if self._phase is not Phase.READING:
                return

    def _advance(self) -> None:
        try:
            request = self._parser.next_request()
        except Refused as refused:
            self._refuse(refused)
            return
        if request is None:
            if self._parser.buffered or self._parser.in_body:
                self._await_rest()
            return
        self._phase = Phase.ANSWERING
        request.deadline = self._loop.now + self._timeouts.wait
        self.deadline = NEVER
        if not self._keeps_lines:
            self._keeps_lines = True
            self._shared.forgetting.begin(self)
        if self._receiving:
            self._receiving = False
            self._keep(len(request.body))
        self._shared.batch.append(Exchange(self, request, self._shared))

    def _await_rest(self) -> None:
        loop, timeouts, parser = self._loop, self._timeouts, self._parser
        if not self._receiving:
            self._receiving = True
            self._due = NEVER
            loop.set_deadline(self, loop.now + timeouts.head)
        if parser.in_body:
            self._expect_more(parser.buffered - self._kept, timeouts.body)
        if parser.wants_continue:
            parser.wants_continue = False
            # The socket is empty here but for a previous answer, which was sent whole: these 25 bytes always fit.
            self._transport.send(CONTINUE)
        self._keep(parser.buffered)
        self._shared.holdings.make_room()

    def _expect_more(self, passed: int, patience: float) -> None:
        """So many bytes of a body or an answer passed. A second is given for so many, and at no time more than ``patience`` in all."""
        most = self._loop.now + patience
        self._due = min(self._due + passed / _BYTES_PER_SECOND, most)
        self._loop.set_deadline(self, self._due)

    def _keep(self, count: int) -> None:
        if count != self._kept:
            self._kept = count
            self._shared.holdings.keep(self, count)

    def _refuse(self, refused: Refused) -> None:
        self._last = self._refused = True
        self._phase = Phase.ANSWERING
        self._keep(0)
        self._send(serialize(refusal(refused), date=self._shared.date, keep_alive=False, without_body=False))

    def _send(self, content: bytes) -> None:
        try:
            sent = self._transport.send(content)
            if sent == len(content):
                self._finish_answer()
                return
            self._outgoing = memoryview(content)[sent:]
            self._phase = Phase.WRITING
            self._due = NEVER
            self._expect_more(sent, self._timeouts.write)
            self._keep(len(content))
            self._write()
            if self._phase is Phase.WRITING:
                self._shared.holdings.make_room()
        except Broken:
            self.close()

    def _write(self) -> None:
        while self._outgoing:
            sent = self._transport.send(self._outgoing)
            if sent == 0:
                self._watch(WRITABLE)
                return
            self._outgoing = self._outgoing[sent:]
            self._expect_more(sent, self._timeouts.write)
        self._keep(0)
        self._finish_answer()

    def _finish_answer(self) -> None:
        failpoints.reach("after_ack")
        if self._refused:
            # Closing now would reset the connection while the client still sends, and it would never read why.
            self._transport.say_goodbye()
            self._phase = Phase.DRAINING
            self._watch(READABLE)
            self._loop.set_deadline(self, self._loop.now + self._timeouts.drain)
        elif self._last:
            self.close()
        else:
            self._phase = Phase.READING
            self._loop.set_deadline(self, self._loop.now + self._timeouts.idle)
            if self._watched != READABLE:
                self._watch(READABLE)
            if self._parser.buffered:
                self._shared.ready.append(self)

    def _drain(self) -> None:
        try:
            if not self._socket.recv(_DISCARDED_BYTES):
                self.close()
        except BlockingIOError:
            return
        except OSError:
            self.close()

    def _answer_plain_http(self) -> None:
        try:
            self._socket.send(SPEAK_TLS)
        except OSError:
            return

    def _watch(self, mask: int) -> None:
        if mask != self._watched:
            self._loop.watch(self._descriptor, self, self._watched, mask)
            self._watched = mask
