"""Tells the server which version of which secret the agent's templates run, so that whoever rotates one sees who still has the old.

Best effort: nothing waits for it, what fails is tried again, and a server that knows no such reports is left in peace.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from strongroom.agent.context import Context
from strongroom.agent.journal import failure_text
from strongroom.agent.worker import Worker
from strongroom.client.errors import ApiError, ClientError
from strongroom.delivery.schedule import Schedule

PART = "consumers"
TTL_SECONDS = 3600
SECRETS_MAX = 256
"""What one report holds at most, by the server's bound."""
_RENEWED_SECONDS = TTL_SECONDS / 3
_RETRY_SECONDS = 5.0
_UNKNOWN = frozenset({404, 405})


class Running(NamedTuple):
    """A secret by its path in the API, and the version that was read; 0 where there are none."""

    path: str
    version: int

    def __str__(self) -> str:
        return f"{self.path}@{self.version}"


class Reporter:
    """The part that reports. ``runs`` may be called from any thread, and never waits."""

    def __init__(self, context: Context, name: str = "") -> None:
        self._context = context
        self._name = name or default_name(context.config.file, socket.gethostname())
        self._by_user: dict[str, frozenset[Running]] = {}
        self._turn = threading.Lock()
        self._reported: frozenset[Running] | None = None
        self._reported_at = 0.0
        self._is_unwanted = False
        self._schedule = Schedule(_RETRY_SECONDS, context.entropy)
        self._worker = Worker(PART, self.step, context.clock, self._broke, context.ending.patience)
        context.tokens.on_change(self._token_changed)

    def start(self) -> None:
        """See Part."""
        self._worker.start()

    def stop(self) -> None:
        """See Part. The last report stays until it is over: what was rendered is still in use."""
        self._worker.stop()

    def runs(self, user: str, secrets: Iterable[Running]) -> None:
        """``user``, a template or a program, runs these from now on, and nothing of what it ran before."""
        now = frozenset(secrets)
        with self._turn:
            if self._by_user.get(user) == now:
                return
            self._by_user[user] = now
        self._worker.wake()

    def step(self) -> float | None:
        """Report what is due; seconds until something will be, None while there is nothing to tell or nobody to tell it as."""
        token = self._context.tokens.current()
        with self._turn:
            running = frozenset().union(*self._by_user.values()) if self._by_user else None
        if token is None or running is None or self._is_unwanted:
            return None
        left = self._reported_at + _RENEWED_SECONDS - self._context.clock.monotonic()
        if running == self._reported and left > 0:
            return left
        return self._report(token, running)

    def _report(self, token: str, running: frozenset[Running]) -> float | None:
        body = {
            "kind": "agent",
            "host": socket.gethostname(),
            "ttl": TTL_SECONDS,
            "secrets": [str(one) for one in sorted(running)[:SECRETS_MAX]],
        }
        try:
            with self._context.client(token) as client:
                client.write(f"sys/consumers/{self._name}", body)
        except ClientError as error:
            if isinstance(error, ApiError) and error.status in _UNKNOWN:
                self._is_unwanted = True
                self._context.journal.debug(PART, "the server takes no reports of consumers")
                return None
            self._schedule.failed()
            self._context.journal.debug(PART, f"what runs could not be reported: {failure_text(error, token)}")
            return self._schedule.next_wait()
        self._schedule.answered()
        self._reported, self._reported_at = running, self._context.clock.monotonic()
        return _RENEWED_SECONDS

    def _token_changed(self) -> None:
        # Another token may be that of another account, whose consumer has not been told of.
        self._reported = None
        self._worker.wake()

    def _broke(self, name: str, error: Exception) -> None:
        self._context.journal.error(PART, f"{name} has ended by a fault of ours: {type(error).__name__}")


def default_name(file: str, host: str) -> str:
    """How a consumer is called where nobody says so: by its machine and its configuration."""
    parts = (re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip("-._") for part in (host, PurePath(file).stem))
    return ".".join(part for part in parts if part)[:128] or "agent"
