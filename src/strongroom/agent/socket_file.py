"""Unix sockets that the agent listens on: made in a folder that was reached without a link, for those whom their mode names."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from typing import NamedTuple

from strongroom.agent.folders import OutputFolders
from strongroom.delivery.private_file import CannotWrite

_BACKLOG = 64
_PROBE_SECONDS = 1.0
_NAME_BYTES_MAX = 80  # sun_path has 108, and the way through our descriptor takes some


class Peer(NamedTuple):
    """Who is at the other end, as the kernel says it (unix(7), SO_PEERCRED). It cannot be forged."""

    process: int
    uid: int
    gid: int


def listen(path: str, mode: int, folders: OutputFolders, owner: int = -1, group: int = -1) -> socket.socket:
    """A listening socket at ``path``. One that a former agent left is replaced. Raises CannotWrite.

    ``owner`` and ``group`` are numbers, -1 for those of the agent.
    """
    with folders.opened(path, create=True) as (folder, name):
        if len(os.fsencode(name)) > _NAME_BYTES_MAX:
            raise CannotWrite(f"{path}: the name of a socket has at most {_NAME_BYTES_MAX} bytes")
        address = f"/proc/self/fd/{folder}/{name}"
        _remove_left(folder, name, address, path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Nobody can connect before the mode is right: the socket does not listen yet.
        try:
            listener.bind(address)
            os.chmod(name, mode, dir_fd=folder)
            if (owner, group) != (-1, -1):
                os.chown(name, owner, group, dir_fd=folder, follow_symlinks=False)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise CannotWrite(f"{path}: {(error.strerror or 'cannot be listened on').lower()}") from None
    return listener


def remove(path: str, folders: OutputFolders) -> None:
    """Take the socket away, if it is one."""
    with contextlib.suppress(CannotWrite, OSError), folders.opened(path) as (folder, name):
        if stat.S_ISSOCK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)


def peer_of(connection: socket.socket) -> Peer:
    """Who has connected. Raises OSError."""
    size = struct.calcsize("3i")
    return Peer(*struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)))


def _remove_left(folder: int, name: str, address: str, path: str) -> None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid not in {0, os.geteuid()}:
        raise CannotWrite(f"{path}: something else than a socket of ours is there; remove it or name another")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            os.unlink(name, dir_fd=folder)
            return
        except OSError:
            pass  # somebody is there who does not take us: too busy, or not for us
    raise CannotWrite(f"{path}: somebody listens there already")
