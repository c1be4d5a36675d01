"""The listener: every listening socket of the server on one loop thread that works in batches (DESIGN 8).

A round reads whatever is ready, hands all requests that are complete to the application in one call, and sends what it answered.
So the application can share one snapshot, one audit write and one commit among them.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Callable

from OpenSSL import SSL

from strongroom.http.conversation import Conversation
from strongroom.http.errors import encode_error
from strongroom.http.loop import NOTHING, READABLE, Loop, Timer
from strongroom.http.parser import Limits
from strongroom.http.shared import Bounds, Exchange, Shared, Timeouts
from strongroom.http.sockets import bind_tcp, bind_unix, remove_unix
from strongroom.http.tls import TlsSettings, build_context
from strongroom.http.transport import PlainTransport, TlsTransport
from strongroom.http.writer import http_date
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.request import Connection

Application = Callable[[list[Exchange]], None]

STOP_SECONDS = 10.0
_ACCEPTS_PER_ROUND = 64
_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_PAUSE_SECONDS = 0.2


class Acceptor:
    """One listening socket: turns what it accepts into conversations."""

    __slots__ = (
        "_accepts_per_round",
        "_limits",
        "_listening",
        "_loop",
        "_shared",
        "_timeouts",
        "_unix_path",
        "_watched",
        "context",
        "shows_metrics",
        "tls",
    )

    def __init__(
        self,
        listening: socket.socket,
        shared: Shared,
        *,
        limits: Limits,
        timeouts: Timeouts,
        tls: TlsSettings | None,
        unix_path: str,
        accepts_per_round: int,
    ) -> None:
        self._accepts_per_round = accepts_per_round
        self._listening = listening
        self._loop = shared.loop
        self._shared = shared
        self._watched = NOTHING
        self._limits = limits
        self._timeouts = timeouts
        self._unix_path = unix_path
        self.shows_metrics = False
        self.tls = tls
        self.context: SSL.Context | None = build_context(tls) if tls else None

    def start(self) -> None:
        """Accept from now on."""
        self._watch(READABLE)

    def stop(self) -> None:
        """Accept no more, and give the address back."""
        self._watch(NOTHING)
        self._listening.close()
        if self._unix_path:
            remove_unix(self._unix_path)

    def on_event(self, mask: int) -> None:
        """Somebody knocks."""
        del mask
        for _ in range(self._accepts_per_round):
            try:
                accepted, peer = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    self._pause()
                    return
                continue  # that client is gone already
            self._welcome(accepted, peer)

    def _welcome(self, accepted: socket.socket, peer: object) -> None:
        connection = Connection() if self._unix_path else _connection(peer)
        connection.shows_metrics = self.shows_metrics
        address = _counted_as(connection.remote_address)
        if not self._shared.admits(address):
            accepted.close()
            return
        accepted.setblocking(False)
        if not self._unix_path:
            with contextlib.suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = self.context
        transport = PlainTransport(accepted) if context is None else TlsTransport(accepted, context)
        conversation = Conversation(
            accepted,
            transport,
            connection,
            address=address,
            limits=self._limits,
            timeouts=self._timeouts,
            shared=self._shared,
        )
        self._shared.remember(conversation)
        conversation.begin()

    def _pause(self) -> None:
        """Out of descriptors: let those that are open finish, instead of spinning on a socket that stays ready."""
        self._watch(NOTHING)
        self._loop.set_deadline(Timer(self._unpause), self._loop.now + _ACCEPT_PAUSE_SECONDS)

    def _unpause(self) -> None:
        if not self._shared.stopping:
            self._watch(READABLE)

    def _watch(self, mask: int) -> None:
        if mask != self._watched:
            self._loop.watch(self._listening.fileno(), self, self._watched, mask)
            self._watched = mask


class Listener:
    """Serves ``application`` on every socket that was added, until ``stop``.

    Add sockets, then call ``run`` on the thread that shall be the loop's. ``stop`` and ``call_soon`` may be called from
    any thread or signal handler. ``on_failure`` hears of exceptions that escape the application, a call or a timer, and of answers
    that cannot be sent; requests that are left without an answer get 500 ``internal error``.
    """

    def __init__(
        self,
        application: Application,
        clock: Clock,
        *,
        bounds: Bounds | None = None,
        stop_seconds: float = STOP_SECONDS,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        self._application = application
        self._clock = clock
        self._loop = Loop(clock, on_failure or _ignore)
        self._shared = Shared(self._loop, bounds or Bounds(), on_failure or _ignore)
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
        """How many connections are open now."""
        return len(self._shared.conversations)

    @property
    def refused_connections(self) -> int:
        """How many connections were closed at once, because too many were open."""
        return self._shared.refused

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
        loop.wait(at_once=bool(ready or shared.batch or shared.answered))
        self._set_date()
        batch = shared.batch
        if batch:
            shared.batch = []
            self._apply(batch)
        if shared.answered:
            answered = shared.answered
            shared.answered = []
            for exchange, response in answered:
                exchange.send(response)
        for exchange in batch:
            if not exchange.answered:
                exchange.park()
        loop.finish_round()

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


def _ignore(failure: Exception) -> None:
    del failure


def _connection(peer: object) -> Connection:
    if not isinstance(peer, tuple):
        return Connection()
    host = str(peer[0]).partition("%")[0]
    # A socket for both families shows IPv4 clients as ::ffff:192.0.2.1; rules on addresses mean the plain form.
    if host.startswith("::ffff:") and "." in host:
        host = host.removeprefix("::ffff:")
    return Connection(remote_address=host, remote_port=int(peer[1]))


def _counted_as(address: str) -> str:
    """The unit in which connections are counted: one IPv4 address, or one IPv6 /64, which one host can have whole."""
    if ":" not in address:
        return address
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(address)) >> 64 << 64))
