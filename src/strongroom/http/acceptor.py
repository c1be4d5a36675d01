"""One listening socket: turns what it accepts into conversations, as far as the bounds allow."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket

from OpenSSL import SSL

from strongroom.http.conversation import Conversation
from strongroom.http.loop import NOTHING, READABLE, Timer
from strongroom.http.parser import Limits
from strongroom.http.shared import Shared, Timeouts
from strongroom.http.sockets import remove_unix
from strongroom.http.tls import TlsSettings, build_context
from strongroom.http.transport import PlainTransport, TlsTransport
from strongroom.logical.request import Connection

_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_PAUSE_SECONDS = 0.2
# So long a process that has more clients than its share leaves the next one to its siblings, and so many more it may have.
_YIELD_SECONDS = 0.002
_SPARE = 1
_UNSENT_BYTES = 128 * 1024


class Acceptor:
    """One listening socket: turns what it accepts into conversations."""

    __slots__ = (
        "_accepts_per_round",
        "_has_yielded",
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
        self._has_yielded = False
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
            if self._yields():
                return
            try:
                accepted, peer = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    # Let those that are open finish, instead of spinning on a socket that stays ready.
                    self._pause(_ACCEPT_PAUSE_SECONDS)
                    return
                continue  # that client is gone already
            self._welcome(accepted, peer)

    def _welcome(self, accepted: socket.socket, peer: object) -> None:
        connection = Connection() if self._unix_path else _connection(peer)
        connection.shows_metrics = self.shows_metrics
        address = _counted_as(connection.remote_address)
        if not self._admit(address):
            self._shared.visitors.refuse()
            accepted.close()
            return
        try:
            conversation = self._conversation(accepted, connection, address)
        except Exception as failure:  # noqa: BLE001 -- whatever goes wrong here must cost this client alone
            self._shared.visitors.leave(address)
            accepted.close()
            self._shared.on_failure(failure)
            return
        self._shared.remember(conversation)
        conversation.begin()

    def _admit(self, address: str) -> bool:
        shared = self._shared
        if shared.visitors.admit(address):
            return True
        return shared.places.free_one_for(address, shared.conversations) and shared.visitors.admit(address)

    def _conversation(self, accepted: socket.socket, connection: Connection, address: str) -> Conversation:
        accepted.setblocking(False)
        if not self._unix_path:
            with contextlib.suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # What a client does not take waits with us, where it is counted, and not in the memory of the system.
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        context = self.context
        transport = PlainTransport(accepted) if context is None else TlsTransport(accepted, context)
        return Conversation(
            accepted,
            transport,
            connection,
            address=address,
            limits=self._limits,
            timeouts=self._timeouts,
            shared=self._shared,
        )

    def _yields(self) -> bool:
        """Whether a sibling shall have this client, since we have more than our share. Nobody is left to siblings twice: they may be busy."""
        shared = self._shared
        self._has_yielded = not self._has_yielded and len(shared.conversations) > shared.visitors.share + _SPARE
        if self._has_yielded:
            self._pause(_YIELD_SECONDS)
        return self._has_yielded

    def _pause(self, seconds: float) -> None:
        self._watch(NOTHING)
        self._loop.set_deadline(Timer(self._unpause), self._loop.now + seconds)

    def _unpause(self) -> None:
        if not self._shared.stopping:
            self._watch(READABLE)

    def _watch(self, mask: int) -> None:
        if mask != self._watched:
            self._loop.watch(self._listening.fileno(), self, self._watched, mask)
            self._watched = mask


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
