"""``run -watch`` tells the server which version of which secret its program runs, so that whoever rotates one sees who still has the old.

Best effort, in the thread that watches: what fails is tried again when it looks the next time, and nobody is told.
"""

from __future__ import annotations

import hashlib
import re
import socket
import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from strongroom.client.errors import ApiError, ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from strongroom.client.client import Client

TTL_SECONDS = 3600
SECRETS_MAX = 256
"""What one report holds at most, by the server's bound."""
_RENEWED_SECONDS = TTL_SECONDS / 3
_UNKNOWN = frozenset({404, 405})


class Report:
    """What the program that is called ``program`` runs, told again where it changed or its time is near."""

    def __init__(self, client: Client, program: str) -> None:
        self._client = client
        self._host = socket.gethostname()
        self._program = program
        self._name = ""
        self._told: Mapping[str, int] = {}
        self._told_at = 0.0
        self._is_unwanted = False

    def tell(self, running: Mapping[str, int]) -> None:
        """The program runs these versions, by the secrets' paths in the API; 0 where there are none."""
        is_due = running != self._told or time.monotonic() - self._told_at >= _RENEWED_SECONDS
        if self._is_unwanted or not running or not is_due:
            return
        # Two programs of one interpreter are two consumers: neither may hide that the other runs an old version.
        self._name = self._name or name_of(self._host, self._program, (_folder(), *sorted(running)))
        secrets = [f"{path}@{version}" for path, version in sorted(running.items())]
        body = {"kind": "run", "host": self._host, "ttl": TTL_SECONDS, "secrets": secrets[:SECRETS_MAX]}
        try:
            self._client.write(f"sys/consumers/{self._name}", body)
        except ClientError as error:
            self._is_unwanted = isinstance(error, ApiError) and error.status in _UNKNOWN
            return
        self._told, self._told_at = dict(running), time.monotonic()


def _folder() -> str:
    """Where the program runs; nothing where that folder was deleted meanwhile."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def name_of(host: str, program: str, work: tuple[str, ...]) -> str:
    """How the consumer is called: by its machine and its program, and by a digest of ``work``, its folder and what it was given."""
    parts = (re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-._") for part in (host, PurePath(program).name))
    digest = hashlib.sha256("\0".join(work).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{'.'.join(part for part in parts if part)[:119] or 'run'}.{digest}"
