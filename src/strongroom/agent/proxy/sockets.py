"""The sockets that the proxy listens on, made so that nobody gets in between making and closing them off."""

from __future__ import annotations

import contextlib
import grp
import ipaddress
import os
import pwd
import socket
import ssl

from strongroom.agent.config_values import Listener
from strongroom.agent.context import AgentFailed
from strongroom.agent.folders import OutputFolders
from strongroom.agent.socket_file import listen, remove
from strongroom.delivery.private_file import CannotWrite

_BACKLOG = 64


class Bound:
    """A listening socket. ``close`` takes its file away again, if it is still ours."""

    def __init__(self, listening: socket.socket, path: str = "", folders: OutputFolders | None = None) -> None:
        self.socket = listening
        self._path = path
        self._folders = folders
        self._made = self._identity()

    def close(self) -> None:
        """Stop listening; a second time does nothing."""
        self.socket.close()
        if self._made is not None and self._folders is not None and self._identity() == self._made:
            remove(self._path, self._folders)
        self._made = None

    def _identity(self) -> tuple[int, int] | None:
        if self._folders is None:
            return None
        with contextlib.suppress(CannotWrite, OSError), self._folders.opened(self._path) as (folder, name):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            return found.st_dev, found.st_ino
        return None


def bind(listener: Listener, folders: OutputFolders) -> Bound:
    """Listen where ``listener`` says. Raises AgentFailed."""
    try:
        if listener.kind == "tcp":
            return _bind_loopback(listener)
        owner, group = _user(listener), _group(listener)
        return Bound(listen(listener.address, listener.socket_mode, folders, owner, group), listener.address, folders)
    except CannotWrite as error:
        raise AgentFailed(f"a listener: {error}") from None
    except OSError as error:
        reason = (error.strerror or "it cannot be used").lower()
        raise AgentFailed(f"the listener at {listener.address}: {reason}") from None


def server_tls(listener: Listener) -> ssl.SSLContext | None:
    """How a listener speaks TLS; None where it does not. Raises AgentFailed."""
    if listener.tls_disable:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listener.tls_cert_file, listener.tls_key_file)
    except OSError:
        text = "certificate and key must be a matching PEM pair that can be read"
        raise AgentFailed(f"the listener at {listener.address}: {text}") from None
    return context


def _bind_loopback(listener: Listener) -> Bound:
    host, _, port = listener.address.rpartition(":")
    host = host.strip("[]")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise AgentFailed(
            f"the listener at {listener.address}: a tcp listener must be on the loopback, like 127.0.0.1:8100"
        )
    made = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((str(address), int(port)))
        made.listen(_BACKLOG)
    except BaseException:
        made.close()
        raise
    return Bound(made)


def _user(listener: Listener) -> int:
    name = listener.socket_user
    if not name or name.isdigit():
        return int(name or -1)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise AgentFailed(f"the listener at {listener.address}: there is no user of the name in socket_user") from None


def _group(listener: Listener) -> int:
    name = listener.socket_group
    if not name or name.isdigit():
        return int(name or -1)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise AgentFailed(
            f"the listener at {listener.address}: there is no group of the name in socket_group"
        ) from None
