"""What every part of the agent gets: the configuration, the token, the way to the server, the log, and how to end all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from strongroom.agent.config_values import AgentConfig, VaultServer
from strongroom.agent.journal import Journal
from strongroom.agent.token_source import TokenSource
from strongroom.client.client import Client
from strongroom.client.settings import DEFAULT_ADDRESS, Settings, Tls, from_environment, variable
from strongroom.delivery.orphans import Orphans
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.secret import Secret
from strongroom.logical.service_state import NOBODY, ServiceState


class Part(Protocol):
    """A part of the agent that works by itself, in threads that it owns."""

    def start(self) -> None:
        """Begin. What cannot work is said now, by raising AgentFailed; what fails later is tried again."""
        ...

    def stop(self) -> None:
        """End, and give back everything. Must work whether or not ``start`` did."""
        ...


class AgentFailed(Exception):
    """The agent cannot work, or must not go on. The text says why, and holds no value."""


PATIENCE_SECONDS = 8.0
"""How long all parts together may take to end: whoever ends a container kills it two seconds later."""


class Ending:
    """How the agent comes to its end: somebody asks for it, from whichever thread, and the main thread waits for that."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._turn = threading.RLock()  # a signal may interrupt whoever holds it
        self._listeners: list[Callable[[], None]] = []
        self._latest: float | None = None
        self.exit_code = 0

    @property
    def is_asked_for(self) -> bool:
        """Whether the agent should end."""
        return self._event.is_set()

    def ask(self, exit_code: int = 0) -> None:
        """End the agent; the first exit code counts."""
        with self._turn:
            if self._event.is_set():
                return
            self.exit_code = exit_code
            self._event.set()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def on_ask(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when the end is asked for. It must be quick."""
        with self._turn:
            self._listeners.append(listener)

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait for the end to be asked for; whether it was."""
        return self._event.wait(timeout_seconds)

    def patience(self, now: float) -> float:
        """For how many seconds, on a clock that says ``now``, whoever ends the parts waits for the next one that has a request under way."""
        if self._latest is None:
            self._latest = now + PATIENCE_SECONDS
        return max(0.0, self._latest - now)


class Context(NamedTuple):
    """See the module. ``settings`` reach the server without a token; ``environ`` is the agent's own environment.

    ``orphans`` is to be told of each process that a part starts and waits for.
    """

    config: AgentConfig
    settings: Settings
    tokens: TokenSource
    journal: Journal
    clock: Clock
    entropy: Entropy
    ending: Ending
    environ: Mapping[str, str]
    orphans: Orphans
    state: ServiceState = NOBODY

    def client(self, token: str | None = None, settings: Settings | None = None) -> Client:
        """A client for one thread, with ``token`` and without retries: parts have their own schedule.

        ``settings`` may be given where they differ from those of the agent.
        """
        chosen = self.settings if settings is None else settings
        return Client(chosen._replace(token=Secret(token) if token else None, max_retries=0), clock=self.clock)


def server_settings(vault: VaultServer, environ: Mapping[str, str]) -> Settings:
    """How to reach the server: the environment before the configuration, as with Vault's agent. Raises BadSettings."""
    found = from_environment(environ)
    if not variable(environ, "ADDR"):
        found = found._replace(address=vault.address or DEFAULT_ADDRESS)
    return found._replace(namespace=found.namespace or vault.namespace, tls=_tls(found.tls, vault.tls), wrap_ttl="")


def _tls(first: Tls, second: Tls) -> Tls:
    return Tls(
        ca_cert=first.ca_cert or second.ca_cert,
        ca_path=first.ca_path or second.ca_path,
        ca_cert_bytes=first.ca_cert_bytes,
        client_cert=first.client_cert or second.client_cert,
        client_key=first.client_key or second.client_key,
        server_name=first.server_name or second.server_name,
        skip_verify=first.skip_verify or second.skip_verify,
    )
