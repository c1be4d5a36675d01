"""Connections: an address understood, a socket opened, TLS spoken, deadlines kept.

``ssl`` is imported only for https, and the machine's own collection of authorities (which is slow to load) only where no
authority is configured.
"""

from __future__ import annotations

import contextlib
import select
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from strongroom.client.errors import BadSettings, ConnectionFailed
from strongroom.client.http1 import Answer, AnswerReader
from strongroom.client.settings import Tls
from strongroom.logical.ambient import Clock

if TYPE_CHECKING:
    import ssl

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """A server's address in its parts. For a unix socket ``host`` is the path of the socket and ``port`` is 0."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        if self.scheme == "unix":
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The address as a text to show, and to put a path after."""
        if self.scheme == "unix":
            return f"unix://{self.host}"
        return f"{self.scheme}://{self.authority}{self.prefix}"


def parse_address(text: str) -> Address:
    """``http://…``, ``https://…`` or ``unix:///path``. Raises BadSettings, whose text does not repeat the address."""
    scheme, separator, rest = text.strip().partition("://")
    scheme = scheme.lower()
    if scheme == "unix" and separator and rest.startswith("/"):
        return Address("unix", rest, 0)
    if scheme not in _DEFAULT_PORTS or not separator:
        raise BadSettings("the address must start with https://, http:// or unix:///")
    authority, slash, path = rest.partition("/")
    # A password in an address would end in logs and process lists.
    if "@" in authority:
        raise BadSettings("the address must not hold a user name or a password")
    host, port = _split_authority(authority, _DEFAULT_PORTS[scheme])
    prefix = (slash + path).partition("?")[0].rstrip("/")
    if not prefix.isprintable() or " " in prefix:
        raise BadSettings("the address holds characters that no address can have")
    return Address(scheme, host, port, prefix)


def _split_authority(authority: str, default_port: int) -> tuple[str, int]:
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        colon, digits = rest[:1], rest[1:]
        well_formed = bool(bracket) and colon in {"", ":"}
    else:
        host, colon, digits = authority.partition(":")
        well_formed = True
    if not well_formed or not host or not host.isprintable() or " " in host:
        raise BadSettings("the address names no host")
    if not colon:
        return host, default_port
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise BadSettings("the port in the address must be a number from 1 to 65535")
    return host, int(digits)


class Connection:
    """One open connection that carries one request at a time, each within its own deadline."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None, server_name: str, clock: Clock) -> None:
        self.address = address
        self._tls = tls
        self._server_name = server_name or address.host
        self._clock = clock
        self._deadline = 0.0
        self._socket: socket.socket | None = None
        self._reader = AnswerReader(self._receive)

    def open(self, timeout_seconds: float) -> None:
        """Connect. Raises ConnectionFailed."""
        self._deadline = self._clock.monotonic() + timeout_seconds
        try:
            plain = self._dial()
        except OSError as error:
            raise ConnectionFailed(_why(error)) from None
        try:
            self._socket = self._secured(plain)
        except BaseException:
            plain.close()
            raise

    def exchange(self, request: bytes, timeout_seconds: float, *, bodiless: bool) -> Answer:
        """Send ``request`` and read its answer. Raises ConnectionFailed or BadAnswer; the connection is dead then."""
        self._deadline = self._clock.monotonic() + timeout_seconds
        sender = self._live()
        try:
            sender.settimeout(self._remaining())
            sender.sendall(request)
        except OSError as error:
            # The server may have answered (413, say) and closed before it had read everything.
            with contextlib.suppress(Exception):
                return self._reader.read(bodiless=bodiless)
            raise ConnectionFailed(_why(error)) from None
        return self._reader.read(bodiless=bodiless)

    def is_stale(self) -> bool:
        """Whether the server has closed this idle connection, or sent what nobody asked for."""
        if self._socket is None:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close; a second time does nothing."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _dial(self) -> socket.socket:
        if self.address.scheme == "unix":
            local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            local.settimeout(self._remaining())
            try:
                local.connect(self.address.host)
            except OSError:
                local.close()
                raise
            return local
        host: Any = self.address.host
        if host.isascii():
            host = host.encode()  # a text would load the codec of international names
        dialled = socket.create_connection((host, self.address.port), self._remaining())
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return dialled

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self._tls is None:
            return plain
        import ssl

        try:
            return self._tls.wrap_socket(plain, server_hostname=self._server_name)
        except ssl.SSLCertVerificationError as error:
            reason = f"the server's certificate does not verify: {error.verify_message}"
            raise ConnectionFailed(f"{reason}. Name the authority with -ca-cert or STRONGROOM_CACERT") from None
        except ssl.SSLError as error:
            text = (error.reason or "handshake failed").replace("_", " ").lower()
            raise ConnectionFailed(f"TLS with the server failed: {text} (does it speak plain http?)") from None
        except OSError as error:
            raise ConnectionFailed(_why(error)) from None

    def _receive(self, count: int) -> bytes:
        receiver = self._live()
        try:
            receiver.settimeout(self._remaining())
            return receiver.recv(count)
        except OSError as error:
            raise ConnectionFailed(_why(error)) from None

    def _live(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionFailed("the connection is closed")
        return self._socket

    def _remaining(self) -> float:
        remaining = self._deadline - self._clock.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


def make_tls(settings: Tls) -> ssl.SSLContext:
    """The context for ``settings``. Raises BadSettings that names what cannot be loaded."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_authorities(context, settings)
    if settings.client_cert or settings.client_key:
        if not (settings.client_cert and settings.client_key):
            raise BadSettings("a client certificate needs both -client-cert and -client-key")
        try:
            context.load_cert_chain(settings.client_cert, settings.client_key, _no_password)
        except OSError:
            raise BadSettings(
                "the client certificate and key cannot be loaded: they must be a matching PEM pair"
            ) from None
    return context


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal in the middle of a script.
    raise BadSettings("the client key must not be protected by a password")


def _load_authorities(context: ssl.SSLContext, settings: Tls) -> None:
    chosen: dict[str, Any] = {}
    if settings.ca_cert:
        chosen["cafile"] = settings.ca_cert
    elif settings.ca_cert_bytes:
        chosen["cadata"] = settings.ca_cert_bytes
    elif settings.ca_path:
        chosen["capath"] = settings.ca_path
    if not chosen:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(**chosen)
    except (OSError, ValueError):
        raise BadSettings("the certificate authority cannot be loaded: it must be readable and in PEM form") from None


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, socket.gaierror):
        return "the host's name cannot be resolved"
    return (error.strerror or "connection lost").lower()
