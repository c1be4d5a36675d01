"""The proxy as a part of the agent."""

from __future__ import annotations

import os

from strongroom.agent.config_values import ApiProxy, Listener
from strongroom.agent.context import Context
from strongroom.agent.folders import OutputFolders
from strongroom.agent.proxy.cache import Cache
from strongroom.agent.proxy.front import Front
from strongroom.agent.proxy.gate import Gate
from strongroom.agent.proxy.keeper import Keeper
from strongroom.agent.proxy.peers import allowed_by
from strongroom.agent.proxy.upstream import Upstream
from strongroom.agent.worker import Worker


class ProxyPart:
    """Every listener of the configuration, before one cache."""

    def __init__(self, context: Context, folders: OutputFolders) -> None:
        config = context.config
        self._folders = folders
        self._context = context
        self._cache = Cache(context.entropy)
        self._upstream = Upstream(context.settings, context.clock)
        self._keeper = Keeper(
            self._cache, self._upstream, context.tokens, context.clock, is_caching=config.cache is not None
        )
        self._gates = [self._gate(listener) for listener in config.listeners]
        self._last_token = context.tokens.current()
        self._worker = Worker(
            "proxy cache", self._keeper.look_after, context.clock, self._failed, context.ending.patience
        )

    def start(self) -> None:
        """Listen. Raises AgentFailed."""
        self._context.tokens.on_change(self._token_changed)
        for gate in self._gates:
            gate.open()
        if self._keeper.is_caching:
            self._worker.start()
        for listener in self._context.config.listeners:
            self._context.journal.info("proxy", f"listening at {listener.address}")

    def stop(self) -> None:
        """Stop listening, end all conversations, overwrite what was cached."""
        for gate in self._gates:
            gate.close()
        self._worker.stop()
        self._upstream.close()
        self._cache.clear()

    def _gate(self, listener: Listener) -> Gate:
        context = self._context
        front = Front(listener, _proxy_of(context), self._keeper, self._cache, context.tokens, context.ending.ask)
        allowed = allowed_by(listener, os.geteuid())
        return Gate(listener, allowed, front, context.journal, context.clock, self._folders)

    def _token_changed(self) -> None:
        old, self._last_token = self._last_token, self._context.tokens.current()
        self._keeper.own_token_changed(old)

    def _failed(self, name: str, error: Exception) -> None:
        self._context.journal.error("proxy", f"{name} ended: {type(error).__name__}")
        self._context.ending.ask(1)


def _proxy_of(context: Context) -> ApiProxy:
    """How the agent's token is used; ``cache`` is the older place of the setting."""
    found = context.config.api_proxy or ApiProxy()
    if context.config.cache is not None and context.config.cache.use_auto_auth_token and not found.use_auto_auth_token:
        return ApiProxy(use_auto_auth_token=True, force=found.force)
    return found
