"""Who is at the other end of a connection, as the kernel says, and whether they may be.

For a unix socket the kernel notes who connected (``SO_PEERCRED``); for a connection over the loopback, to whom the other socket belongs.
Neither can be forged. Both say who *opened* the connection: whoever that process gave it to since is not seen, so before each
request it is looked whether that process still is what it was. A process that ended and whose number went to another process of the same
user cannot be told from it.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from strongroom.agent.config_values import Listener
from strongroom.agent.socket_file import peer_of

_SO_PEERGROUPS = 59
"""Linux's number for it, for which Python has no name."""
_GROUPS_BYTES_MAX = 1024
_ESTABLISHED = "01"


class Peer(NamedTuple):
    """The process that opened a connection. ``pid`` is 0 where it is not known."""

    pid: int
    uid: int
    gids: frozenset[int] = frozenset()


class Allowed(NamedTuple):
    """Who may connect: one of these users, or whoever is in one of these groups."""

    uids: frozenset[int]
    gids: frozenset[int] = frozenset()

    def admits(self, peer: Peer) -> bool:
        """Whether ``peer`` may."""
        return peer.uid in self.uids or not self.gids.isdisjoint(peer.gids)


def allowed_by(listener: Listener, own_uid: int) -> Allowed:
    """Whom a listener lets in: those that it names, and where it names nobody the agent's own user alone."""
    if listener.peer_uids or listener.peer_gids:
        return Allowed(listener.peer_uids, listener.peer_gids)
    return Allowed(frozenset({own_uid}))


def peer_of_unix(connected: socket.socket) -> Peer:
    """Who opened this connection over a unix socket. Raises OSError."""
    pid, uid, gid = peer_of(connected)
    try:
        packed = connected.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES_MAX)
    except OSError:
        packed = b""  # more groups than fit, or a kernel that does not know: the first group counts
    return Peer(pid, uid, frozenset({gid, *(group for (group,) in struct.iter_unpack("I", packed))}))


def peer_of_loopback(connected: socket.socket) -> Peer | None:
    """Who opened this connection over the loopback; None where the kernel does not say, or it is closed already."""
    here, there = connected.getsockname(), connected.getpeername()
    file = "/proc/net/tcp6" if connected.family == socket.AF_INET6 else "/proc/net/tcp"
    try:
        with open(file, encoding="ascii") as table:  # noqa: PTH123 -- a table of the kernel
            uid = owner_in(table, _in_hex(there), _in_hex(here))
    except (OSError, ValueError):
        return None
    return None if uid is None else Peer(0, uid)


def owner_in(table: Iterable[str], local: str, remote: str) -> int | None:
    """The owner of the established connection from ``local`` to ``remote`` in a table of the kernel's form."""
    for line in table:
        fields = line.split()
        if len(fields) > 7 and fields[1] == local and fields[2] == remote and fields[3] == _ESTABLISHED:
            return int(fields[7])
    return None


def is_still(peer: Peer) -> bool:
    """Whether the process that connected still runs, as the user that it was."""
    if not peer.pid:
        return True
    try:
        with open(f"/proc/{peer.pid}/status", encoding="utf-8", errors="replace") as status:  # noqa: PTH123 -- no file
            line = next((line for line in status if line.startswith("Uid:")), "")
    except OSError:
        return _exists(peer.pid)
    effective = line.split()[2:3]
    return effective == [str(peer.uid)]


def _exists(pid: int) -> bool:
    # Where others' processes are hidden, only this tells that one is there.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _in_hex(address: tuple[str, int]) -> str:
    """An address in the form of the kernel's tables: words of 32 bits in the machine's own order."""
    packed = ipaddress.ip_address(address[0]).packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{address[1]:04X}"
