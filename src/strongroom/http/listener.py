"""The listener: every listening socket of the server on one loop thread that works in batches (DESIGN 8).

A round reads whatever is ready, hands all requests that are complete to the application in one call, and sends what it answered.
So the application can share one snapshot, one audit write and one commit among them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from strongroom.http.acceptor import Acceptor
from strongroom.http.errors import OVERLOADED, encode_error
from strongroom.http.loop import Loop, Timer
from strongroom.http.parser import Limits
from strongroom.http.queue import Patience, Queue
from strongroom.http.shared import Exchange, Shared, Timeouts
from strongroom.http.sockets import bind_tcp, bind_unix
from strongroom.http.tls import TlsSettings, build_context
from strongroom.http.visitors import Visitors
from strongroom.http.writer import http_date, serialize
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import NANOSECONDS

Application = Callable[[list[Exchange]], None]

STOP_SECONDS = 10.0
_ACCEPTS_PER_ROUND = 64
_HANDSHAKES_PER_ROUND = 16
"""Each costs a fraction of a millisecond of signing; with more of them in a round, those who are connected would wait."""


class Listener:
    """Serves ``application`` on every socket that was added, until ``stop``.

    Add sockets, then call ``run`` on the thread that shall be the loop's. ``stop`` and ``call_soon`` may be called from
    any thread or signal handler. ``on_failure`` hears of exceptions that escape the application, a call or a timer, and of answers
    that cannot be sent; requests that are left without an answer get 500 ``internal error``. ``is_vital`` says of a
    request's target whether it must be answered however many others wait.
    """

    def __init__(
        self,
        application: Application,
        clock: Clock,
        *,
        visitors: Visitors | None = None,
        patience: Patience | None = None,
        is_vital: Callable[[str], bool] | None = None,
        stop_seconds: float = STOP_SECONDS,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        self._application = application
        self._clock = clock
        self._loop = Loop(clock, on_failure or _ignore)
        self._shared = Shared(self._loop, visitors or Visitors(), on_failure or _ignore)
        self._queue = Queue(patience or Patience(), is_vital or _nothing)
        self._stop_seconds = stop_seconds
        self._acceptors: list[Acceptor] = []
        self._held = 0
        self._date_second = -1

    def add_tcp(
        self,
        host: str,
        port: int,
        *,
        tls: TlsSettings | None = None,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
    ) -> tuple[str, int]:
        """Listen on ``host`` and ``port`` (0 picks one) and return both as bound. Raises OSError, TlsConfigurationError."""
        listening = bind_tcp(host, port)
        try:
            self.add_socket(listening, tls=tls, limits=limits, timeouts=timeouts)
        except BaseException:
            listening.close()
            raise
        name = listening.getsockname()
        return str(name[0]), int(name[1])

    def add_unix(
        self, path: str, *, mode: int = 0o600, limits: Limits | None = None, timeouts: Timeouts | None = None
    ) -> None:
        """Listen on a unix socket at ``path`` with the file mode ``mode``. Raises OSError."""
        self.add_socket(bind_unix(path, mode), limits=limits, timeouts=timeouts, unix_path=path)

    def add_socket(
        self,
        listening: socket.socket,
        *,
        tls: TlsSettings | None = None,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        unix_path: str = "",
        is_shared: bool = False,
        shows_metrics: bool = False,
    ) -> None:
        """Serve a socket that listens already (one that was inherited). ``unix_path`` is removed when we stop.

        Of a socket that ``is_shared`` with other processes only one client is taken at a time, so that all get their share.
        ``shows_metrics`` says that requests over it may read the metrics without a token.
        """
        listening.setblocking(False)
        acceptor = Acceptor(
            listening,
            self._shared,
            limits=limits or Limits(),
            timeouts=timeouts or Timeouts(),
            tls=tls,
            unix_path=unix_path,
            accepts_per_round=1 if is_shared else _ACCEPTS_PER_ROUND,
        )
        acceptor.shows_metrics = shows_metrics
        self._acceptors.append(acceptor)

    @property
    def connections(self) -> int:
        """How many connections are open now in this process."""
        return len(self._shared.conversations)

    @property
    def visitors(self) -> Visitors:
        """Who is connected, over all processes of this server."""
        return self._shared.visitors

    @property
    def shed(self) -> int:
        """How many requests this process refused unread, because more came than it could answer in time."""
        return self._queue.shed

    def call_soon(self, call: Callable[[], None]) -> None:
        """Have ``call`` run on the loop's thread soon."""
        self._loop.call_soon(call)

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have ``call`` run on the loop's thread after ``seconds``. Only for the loop's thread, or before ``run``."""
        self._loop.set_deadline(Timer(call), self._clock.monotonic() + seconds)

    def reload_certificates(self) -> None:
        """Read certificates and keys again; new connections use them. If any cannot be used, all stay as they were.

        Raises TlsConfigurationError.
        """
        fresh = [build_context(acceptor.tls) if acceptor.tls else None for acceptor in self._acceptors]
        for acceptor, context in zip(self._acceptors, fresh, strict=True):
            acceptor.context = context

    def hold(self) -> None:
        """Have ``run`` go on after ``stop``, even without a connection, until ``release``: others still need what is called soon.

        Only for the loop's thread, or before ``run``. The time that ``stop`` gives bounds this too.
        """
        self._held += 1

    def release(self) -> None:
        """Take one ``hold`` back, from any thread."""
        self._loop.call_soon(self._release)

    def stop(self, *, within_seconds: float | None = None) -> None:
        """Accept no more, finish what is under way, close, and let ``run`` return.

        What is not finished ``within_seconds`` is cut off (10 by default). A second call can only make the time shorter.
        """
        seconds = self._stop_seconds if within_seconds is None else within_seconds
        self._loop.call_soon(lambda: self._begin_stop(seconds))

    def run(self) -> None:
        """Serve until ``stop``."""
        loop, shared = self._loop, self._shared
        loop.adopt_thread()
        self._set_date()
        for acceptor in self._acceptors:
            acceptor.start()
        try:
            while not shared.stopping or shared.conversations or self._held:
                self._round()
        finally:
            self._end()

    def _round(self) -> None:
        loop, shared = self._loop, self._shared
        # What was received already comes before new events: an end of the stream must not overtake it.
        ready = shared.ready
        if ready:
            shared.ready = []
            for conversation in ready:
                conversation.resume()
        shared.handshakes = _HANDSHAKES_PER_ROUND
        loop.wait(at_once=bool(ready or shared.batch or shared.answered or len(self._queue)))
        self._set_date()
        batch, came = self._next_batch()
        if batch:
            began = self._clock.monotonic()
            self._apply(batch)
            self._queue.took(len(batch), self._clock.monotonic() - began)
        if shared.answered:
            answered = shared.answered
            shared.answered = []
            for exchange, response in answered:
                exchange.send(response)
        for exchange in came:
            if not exchange.answered:
                exchange.park()
        loop.finish_round()

    def _next_batch(self) -> tuple[list[Exchange], list[Exchange]]:
        """Those whose turn it is, and those that came in this round. Those that waited too long have been refused."""
        came, queue = self._shared.batch, self._queue
        if not came and not len(queue):
            return [], came
        self._shared.batch = []
        if not len(queue) and len(came) <= queue.room:
            return came, came
        for exchange in came:
            queue.put(exchange, self._loop.since)
        batch, refused = queue.take(self._loop.now)
        for exchange in refused:
            exchange.shed()
        return batch, came

    def _apply(self, batch: list[Exchange]) -> None:
        try:
            self._application(batch)
        except Exception as failure:  # noqa: BLE001 -- one bad batch must not end the service
            for exchange in batch:
                if not exchange.answered:
                    exchange.respond(encode_error(failure))
            self._shared.on_failure(failure)

    def _set_date(self) -> None:
        second = self._clock.now_ns() // NANOSECONDS
        if second != self._date_second:
            self._date_second = second
            self._shared.date = http_date(second)
            self._shared.overloaded = serialize(OVERLOADED, date=self._shared.date, keep_alive=True, without_body=False)

    def _release(self) -> None:
        self._held = max(0, self._held - 1)

    def _begin_stop(self, seconds: float) -> None:
        shared = self._shared
        if not shared.stopping:
            shared.stopping = True
            for acceptor in self._acceptors:
                acceptor.stop()
            for conversation in list(shared.conversations):
                conversation.end_if_idle()
        self.call_later(seconds, self._close_all)

    def _close_all(self) -> None:
        self._held = 0
        for conversation in list(self._shared.conversations):
            conversation.close()

    def _end(self) -> None:
        if not self._shared.stopping:
            for acceptor in self._acceptors:
                acceptor.stop()
        self._close_all()
        self._loop.close()


def _nothing(target: str) -> bool:
    del target
    return False


def _ignore(failure: Exception) -> None:
    del failure
