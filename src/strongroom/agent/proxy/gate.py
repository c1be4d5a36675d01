"""The accepting end of one listener: asks the kernel who has come, turns away who may not, and gives each other one a thread."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from strongroom.agent.config_values import Listener
from strongroom.agent.folders import OutputFolders
from strongroom.agent.journal import Journal
from strongroom.agent.proxy.conversation import Conversation, Host
from strongroom.agent.proxy.peers import Allowed, Peer, peer_of_loopback, peer_of_unix
from strongroom.agent.proxy.sockets import Bound, bind, server_tls
from strongroom.logical.ambient import Clock

CONNECTIONS_MAX = 64
CONNECTIONS_PER_USER_MAX = 48
_HANDSHAKE_SECONDS = 10.0
_PAUSE_SECONDS = 0.1
JOIN_SECONDS = 5.0
"""How long those who are answered right now are waited for at the end."""


class Gate:
    """A listener at work, from ``open`` to ``close``. ``host`` answers, and hears of each whom it turns away."""

    def __init__(
        self, listener: Listener, allowed: Allowed, host: Host, journal: Journal, clock: Clock, folders: OutputFolders
    ) -> None:
        self._listener = listener
        self._allowed = allowed
        self._host = host
        self._journal = journal
        self._clock = clock
        self._bound: Bound | None = None
        self._tls: ssl.SSLContext | None = None
        self._open: set[Conversation] = set()
        self._users: Counter[int] = Counter()
        self._turn = threading.Lock()
        self._is_closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._told: set[int] = set()
        self._folders = folders

    def open(self) -> None:
        """Listen. Raises AgentFailed."""
        self._tls = server_tls(self._listener)
        self._bound = bind(self._listener, self._folders)
        self._begin("proxy", partial(self._accept, self._bound))

    @property
    def address(self) -> tuple[str, int] | str:
        """Where it listens."""
        if self._bound is None:
            return ""
        found: tuple[str, int] | str = self._bound.socket.getsockname()
        return found

    def close(self) -> None:
        """Stop listening and end all conversations; a second time does nothing."""
        self._is_closing.set()
        if self._bound is not None:
            # Closing alone does not wake whoever accepts.
            with contextlib.suppress(OSError):
                self._bound.socket.shutdown(socket.SHUT_RDWR)
            self._bound.close()
        with self._turn:
            conversations, threads = list(self._open), list(self._threads)
        for conversation in conversations:
            conversation.close()
        # All together: a server that hangs must not keep the agent from its end, conversation after conversation.
        deadline = self._clock.monotonic() + JOIN_SECONDS
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - self._clock.monotonic()))

    def _accept(self, bound: Bound) -> None:
        while not self._is_closing.is_set():
            try:
                connected, _ = bound.socket.accept()
            except OSError:
                # Out of descriptors, or closed: then the flag is set.
                self._is_closing.wait(_PAUSE_SECONDS)
                continue
            connected.set_inheritable(False)
            peer = self._identified(connected)
            if peer is None or self._is_closing.is_set():
                connected.close()
                continue
            try:
                self._begin(f"proxy for uid {peer.uid}", partial(self._converse, connected, peer))
            except RuntimeError:
                # No more threads for this process: that must not end the one that accepts.
                connected.close()
                self._leave(peer)
                self._is_closing.wait(_PAUSE_SECONDS)

    def _identified(self, connected: socket.socket) -> Peer | None:
        """Who has come, if there is room and they may."""
        try:
            peer = peer_of_unix(connected) if self._listener.kind == "unix" else peer_of_loopback(connected)
        except OSError:
            peer = None
        if peer is None or not self._allowed.admits(peer):
            self._host.note_refused()
            self._tell(peer)
            return None
        with self._turn:
            if self._users.total() >= CONNECTIONS_MAX or self._users[peer.uid] >= CONNECTIONS_PER_USER_MAX:
                return None
            self._users[peer.uid] += 1
        return peer

    def _converse(self, connected: socket.socket, peer: Peer) -> None:
        try:
            secured = self._secured(connected)
            if secured is not None:
                self._talk(Conversation(secured, peer, self._host, self._clock))
        finally:
            self._leave(peer)

    def _leave(self, peer: Peer) -> None:
        with self._turn:
            self._users[peer.uid] -= 1

    def _talk(self, conversation: Conversation) -> None:
        with self._turn:
            self._open.add(conversation)
        try:
            if self._is_closing.is_set():
                conversation.close()
            conversation.run()
        finally:
            with self._turn:
                self._open.discard(conversation)

    def _secured(self, connected: socket.socket) -> socket.socket | None:
        if self._tls is None:
            return connected
        try:
            connected.settimeout(_HANDSHAKE_SECONDS)
            return self._tls.wrap_socket(connected, server_side=True)
        except (OSError, ValueError):
            connected.close()
            return None

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._work, args=(work,), name=name, daemon=True)
        with self._turn:
            # Started in the same turn: whoever closes joins all that are listed.
            thread.start()
            self._threads.add(thread)

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._turn:
                self._threads.discard(threading.current_thread())

    def _tell(self, peer: Peer | None) -> None:
        """Say once for each user that they were turned away: whoever tries without end fills no log."""
        uid = -1 if peer is None else peer.uid
        if uid not in self._told and len(self._told) < CONNECTIONS_MAX:
            self._told.add(uid)
            who = "somebody whom the kernel does not name" if peer is None else f"a process of the user {uid}"
            self._journal.warn("proxy", f"{who} was turned away at {self._listener.address}; peer_uids says who may")
