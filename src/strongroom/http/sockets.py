"""Listening sockets: binding them, and taking unix sockets away again."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

_BACKLOG = 1024


def bind_tcp(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host`` (a name or an address; ``""`` is every interface) and ``port``. Raises OSError."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # An IPv6 wildcard serves both families; otherwise the resolver's first answer is the one that was meant.
    family, kind, protocol, _, address = next((item for item in found if item[4][0] == "::"), found[0])
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def bind_unix(path: str, mode: int) -> socket.socket:
    """A unix socket that listens at ``path`` with the file mode ``mode``.

    A socket that a dead server left behind is replaced. Raises OSError where another one listens, or the file is no socket.
    """
    _remove_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Nobody can connect before ``listen``, so that the mode is in force before the first connection.
        listening.bind(path)
        Path(path).chmod(mode)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def remove_unix(path: str) -> None:
    """Take the file of a unix socket away; it is fine if it is gone."""
    with contextlib.suppress(OSError):
        Path(path).unlink()


def _remove_stale(path: str) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(
            "the file of the unix socket exists and is not a socket; remove it or choose another path"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            remove_unix(path)
            return
    raise FileExistsError("another process listens on the unix socket")
