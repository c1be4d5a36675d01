"""Bytes over a non-blocking socket, plain or through TLS, behind one small interface.

``receive`` answers None where nothing is there yet and ``b""`` at the end; ``send`` answers how many bytes went out, 0 where the
socket is full. Whatever breaks a connection is ``Broken``, which carries no text of anybody's.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Protocol

from OpenSSL import SSL, crypto

from strongroom.logical.request import Connection

_PLAIN_BYTES = 65536
# A TLS record's largest content: with this size one call always empties what OpenSSL holds, so that epoll tells the rest.
_RECORD_BYTES = 16384


class Broken(Exception):
    """The connection is dead. ``plain_http`` says that the client spoke HTTP where TLS was expected."""

    def __init__(self, *, plain_http: bool = False) -> None:
        super().__init__()
        self.plain_http = plain_http


class Transport(Protocol):
    """A connected, non-blocking stream."""

    wants_write: bool
    """The last call could not go on before the socket is writable."""

    def handshake(self, connection: Connection) -> bool:
        """Go on with the handshake; True when it is done and ``connection`` says what it found. Raises Broken."""
        ...

    def receive(self) -> bytes | None:
        """What is there, None where nothing is, ``b""`` at the end. Raises Broken."""
        ...

    def send(self, content: bytes | memoryview) -> int:
        """How many bytes of ``content`` went out; 0 where none could. Raises Broken."""
        ...

    def say_goodbye(self) -> None:
        """Tell the other side that nothing more will be sent. Never raises."""
        ...


class PlainTransport:
    """A socket without TLS."""

    __slots__ = ("_socket", "wants_write")

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.wants_write = False

    def handshake(self, connection: Connection) -> bool:
        """There is none."""
        del connection
        return True

    def receive(self) -> bytes | None:
        """What is there, None where nothing is, ``b""`` at the end. Raises Broken."""
        try:
            return self._socket.recv(_PLAIN_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            raise Broken from None

    def send(self, content: bytes | memoryview) -> int:
        """How many bytes of ``content`` went out; 0 where none could. Raises Broken."""
        try:
            return self._socket.send(content)
        except BlockingIOError:
            return 0
        except OSError:
            raise Broken from None

    def say_goodbye(self) -> None:
        """Half-close."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)


class TlsTransport:
    """A socket with TLS by OpenSSL, which reads and writes the descriptor itself."""

    __slots__ = ("_dead", "_socket", "_tls", "wants_write")

    def __init__(self, connected: socket.socket, context: SSL.Context) -> None:
        self._socket = connected
        self._tls = SSL.Connection(context, connected)
        self._tls.set_accept_state()
        self._dead = False
        self.wants_write = False

    def handshake(self, connection: Connection) -> bool:
        """Go on with the handshake; True when it is done and ``connection`` says what it found. Raises Broken."""
        self.wants_write = False
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.WantWriteError:
            self.wants_write = True
            return False
        except (SSL.Error, OSError) as error:
            self._dead = True
            raise Broken(plain_http=_spoke_plain_http(error)) from None
        connection.tls_version = self._tls.get_protocol_version_name()
        certificate = self._tls.get_peer_certificate()
        if certificate is not None:
            # Copied out and not parsed: what a stranger sends is for whoever trusts it to read, and to fail on.
            connection.client_certificate_der = crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)
        return True

    def receive(self) -> bytes | None:
        """What is there, None where nothing is, ``b""`` at the end. Raises Broken."""
        try:
            return self._tls.recv(_RECORD_BYTES)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            return b""
        except SSL.WantWriteError:
            self.wants_write = True
            return None
        except (SSL.Error, OSError):
            # A stream that ends without close_notify was cut, by whomever; what came last may be incomplete.
            self._dead = True
            raise Broken from None

    def send(self, content: bytes | memoryview) -> int:
        """How many bytes of ``content`` went out; 0 where none could. Raises Broken."""
        try:
            return self._tls.send(content)
        except (SSL.WantWriteError, SSL.WantReadError):
            return 0
        except (SSL.Error, OSError):
            self._dead = True
            raise Broken from None

    def say_goodbye(self) -> None:
        """Send close_notify if that can still be done, and half-close."""
        with contextlib.suppress(SSL.Error, OSError):
            if not self._dead:
                self._tls.shutdown()
            self._socket.shutdown(socket.SHUT_WR)


def _spoke_plain_http(error: Exception) -> bool:
    """Whether OpenSSL recognised a plain HTTP request (its reason text has been stable since 1.0)."""
    queue = error.args[0] if error.args else None
    return isinstance(queue, list) and any("http request" in item for item in queue)
