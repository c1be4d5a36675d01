"""Credentials for systemd's ``LoadCredential=NAME:/path/of/the/socket``.

systemd connects to the socket and reads until its end. It binds its own end to an abstract address that names what it wants, and
needs the privileges for that: a zero byte, random digits, ``/unit/``, the unit, a slash, the credential (systemd.exec(5),
LoadCredential=). The kernel says who is at the other end, so only systemd can ask.

An answer that is cut short would be taken for the credential. So whoever may not have one gets more bytes than systemd accepts
(1 MiB, ``CREDENTIAL_SIZE_MAX``), all of them zero: then the unit does not start.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import threading
from typing import NamedTuple

from strongroom.agent.config_values import SystemdCredentials
from strongroom.agent.context import AgentFailed, Context
from strongroom.agent.folders import OutputFolders
from strongroom.agent.socket_file import Peer, listen, peer_of, remove
from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.private_file import CannotWrite
from strongroom.logical.secret import Secret

PART = "systemd"
CREDENTIAL_BYTES_MAX = 1024 * 1024
REFUSAL = bytes(CREDENTIAL_BYTES_MAX + 1)
_CONNECTIONS_MAX = 64
_SEND_SECONDS = 60.0
_PASSES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EINTR})
"""What keeps us from taking a connection now and not for ever."""
_PAUSE_SECONDS = 0.1
_WAIT_SECONDS = 60.0  # for the first value: less than a unit may take to start

# What a unit and a credential may be called, strictly: all of it goes into the journal.
_ADDRESS = re.compile(rb"\x00[0-9a-f]{1,16}/unit/([A-Za-z0-9_.@:\\+-]{1,255})/([A-Za-z0-9_.@:+-]{1,255})")


class Wanted(NamedTuple):
    """What an address asks for."""

    unit: str
    credential: str


def _peer_or_nobody(connection: socket.socket) -> Peer:
    try:
        return peer_of(connection)
    except OSError:
        return Peer(0, -1, -1)


def wanted_by(address: bytes | str | None) -> Wanted | None:
    """What the peer's ``address`` asks for; None where it is none of systemd's."""
    match = _ADDRESS.fullmatch(address) if isinstance(address, bytes) else None
    return Wanted(match[1].decode(), match[2].decode()) if match else None


def check_credential(content: str) -> None:
    """Whether ``content`` can be a credential. Raises CannotDeliver."""
    if len(content.encode("utf-8", "surrogatepass")) > CREDENTIAL_BYTES_MAX:
        raise CannotDeliver(f"it is larger than the {CREDENTIAL_BYTES_MAX:,} bytes that systemd takes")


class CredentialSocket:
    """The part that answers systemd. ``put`` is for the thread that renders."""

    def __init__(self, context: Context, config: SystemdCredentials, folders: OutputFolders) -> None:
        self._context = context
        self._config = config
        self._folders = folders
        self._allowed = {
            Wanted(unit, credential.name): number
            for number, credential in enumerate(config.credentials)
            for unit in credential.units
        }
        self._values: dict[int, Secret[str]] = {}
        self._changed = threading.Condition()
        self._is_stopping = False
        self._listener: socket.socket | None = None
        self._slots = threading.BoundedSemaphore(_CONNECTIONS_MAX)

    def put(self, number: int, value: Secret[str]) -> None:
        """The value of a credential, by its place in the configuration."""
        with self._changed:
            self._values[number] = value
            self._changed.notify_all()

    def start(self) -> None:
        """See Part."""
        try:
            self._listener = listen(self._config.address, self._config.mode, self._folders)
        except CannotWrite as error:
            raise AgentFailed(f"the socket for systemd: {error}") from None
        threading.Thread(target=self._accept, args=(self._listener,), name=PART, daemon=True).start()

    def stop(self) -> None:
        """See Part."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            remove(self._config.address, self._folders)

    def _accept(self, listener: socket.socket) -> None:
        while not self._is_stopping:
            # Whoever comes when there are too many waits outside: an end without an answer would be taken for one.
            self._slots.acquire()
            try:
                connection, address = listener.accept()
            except OSError as error:
                self._slots.release()
                if error.errno in _PASSES:
                    self._pause()
                    continue
                if not self._is_stopping:
                    self._context.journal.error(PART, "no connection can be taken any more")
                    self._context.ending.ask(1)
                return
            answer = threading.Thread(
                target=self._serve, args=(connection, address), name=f"{PART} answer", daemon=True
            )
            try:
                answer.start()
            except RuntimeError:
                # No more threads for this process: then whoever comes waits for this one answer.
                self._serve(connection, address)

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, _PAUSE_SECONDS)

    def _serve(self, connection: socket.socket, address: bytes | str) -> None:
        try:
            with connection:
                connection.settimeout(_SEND_SECONDS)
                with contextlib.suppress(OSError):
                    connection.sendall(self.answer(_peer_or_nobody(connection), address))
        finally:
            self._slots.release()

    def answer(self, peer: Peer, address: bytes | str | None) -> bytes:
        """What the peer gets: a credential, or what makes systemd refuse to go on."""
        wanted = wanted_by(address)
        if peer.uid not in self._config.peer_uids:
            self._context.journal.warn(PART, f"user {peer.uid} (process {peer.process}) may not have credentials")
            return REFUSAL
        if wanted is None:
            self._context.journal.warn(PART, f"process {peer.process} does not ask as systemd does")
            return REFUSAL
        number = self._allowed.get(wanted)
        if number is None:
            self._context.journal.warn(PART, f"{wanted.unit} may not have a credential {wanted.credential}")
            return REFUSAL
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or number in self._values, _WAIT_SECONDS)
            value = self._values.get(number)
        if value is None or self._is_stopping:
            self._context.journal.error(PART, f"there is no value yet of {wanted.credential} for {wanted.unit}")
            return REFUSAL
        self._context.journal.info(PART, f"{wanted.unit} got {wanted.credential}")
        return value.reveal().encode("utf-8", "surrogatepass")
