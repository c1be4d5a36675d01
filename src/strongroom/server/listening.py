"""The listening sockets of a configuration, and where clients find them."""

from __future__ import annotations

import contextlib
import socket

from strongroom.http.sockets import bind_tcp, bind_unix, remove_unix
from strongroom.physical.store import Unavailable
from strongroom.server.config_values import TcpListener, UnixListener


def bound(listener: TcpListener | UnixListener, stack: contextlib.ExitStack) -> socket.socket:
    """The socket of a listener, closed and taken away with ``stack``. Raises Unavailable."""
    if isinstance(listener, TcpListener):
        where, path = f"{listener.address.host}:{listener.address.port}", ""
    else:
        where = path = listener.path
    try:
        listening = (
            bind_unix(path, listener.mode)
            if isinstance(listener, UnixListener)
            else bind_tcp(listener.address.host, listener.address.port)
        )
    except OSError as error:
        raise Unavailable(f"cannot listen on {where}: {error.strerror or error}") from None
    if path:
        # Whoever serves takes it away when they stop; by then it may be somebody else's.
        stack.push(lambda kind, _error, _trace: remove_unix(path) if kind is not None else None)
    return stack.enter_context(listening)


def address_of(listener: TcpListener | UnixListener, listening: socket.socket) -> str:
    """Where clients find a listener."""
    if not isinstance(listener, TcpListener):
        return f"unix://{listener.path}"
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if listener.tls else 'http'}://{shown}:{port}"
