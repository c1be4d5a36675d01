"""What a service manager is told about this process: that it is ready, reads its settings again, or is about to end (sd_notify(3)).

A datagram to the socket that ``NOTIFY_SOCKET`` names: a path, or ``@`` and a name in the abstract namespace. Who is not waited for tells nobody.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping

from strongroom.logical.ambient import Clock, SystemClock

VARIABLE = "NOTIFY_SOCKET"
_SEND_SECONDS = 1.0


class ServiceState:
    """Tells whoever started this process, from any thread. Nothing that goes wrong with that is this process's trouble."""

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        named = environ.get(VARIABLE, "")
        self._address = "\0" + named[1:] if named.startswith("@") else named if named.startswith("/") else ""
        self._clock = clock

    def ready(self) -> None:
        """It serves, or it goes on after :meth:`reloading`."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """It reads again what it was started with; :meth:`ready` follows."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(self._clock.monotonic() * 1_000_000)}")

    def stopping(self) -> None:
        """It is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.settimeout(_SEND_SECONDS)
            sending.sendto(state.encode("ascii"), self._address)


NOBODY = ServiceState({}, SystemClock())
"""Who is told nothing."""
