"""``strongroom server``: from configuration files to a process that serves until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from strongroom.core.batch import Alarms
from strongroom.core.sweeper import Sweeper
from strongroom.crypto.aead import Damaged
from strongroom.http.listener import Listener
from strongroom.http.parser import Limits
from strongroom.http.shared import Bounds, Timeouts
from strongroom.http.tls import TlsConfigurationError
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import LogicalError
from strongroom.physical.store import Unavailable
from strongroom.server.assemble import assemble
from strongroom.server.config import load_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import ServerConfig, TcpListener, UnixListener
from strongroom.server.edge import Edge
from strongroom.server.log import Log
from strongroom.server.process import harden, settle_memory
from strongroom.system.node import Node

EXIT_FAILED = 1
START_FAILURES = (Unavailable, TlsConfigurationError, LogicalError, OSError)
"""What keeps a server from starting and can be told to the operator in a sentence."""


def run(config_paths: list[str], *, log_level: str | None = None) -> int:
    """Serve what the files at ``config_paths`` say. Returns the exit code."""
    try:
        config = load_config(config_paths)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    log = Log(SystemClock(), level=log_level or config.log_level, as_json=config.log_format == "json")
    for warning in config.warnings:
        log.warning(warning)
    try:
        server = Server(config, log)
    except START_FAILURES as error:
        log.error(reason_for(error))
        return EXIT_FAILED
    return server.serve()


class Server:
    """One process: a vault, its listener and the signals that steer it."""

    def __init__(self, config: ServerConfig, log: Log) -> None:
        if not harden():
            log.warning("tracing of this process by others could not be switched off")
        self._config = config
        self._log = log
        self._exit_code = 0
        clock, entropy = SystemClock(), SystemEntropy()
        self.node: Node = assemble(config, clock, entropy)
        self._edge = Edge(self.node, Alarms(log.failure, self._stop_guessing))
        self.listener = Listener(
            self._edge,
            clock,
            bounds=Bounds(
                connections=config.max_connections, connections_per_address=config.max_connections_per_address
            ),
            on_failure=log.failure,
        )
        self.addresses = [self._listen(listener) for listener in config.listeners]
        self._sweeper = Sweeper(self.node, log.failure)

    def serve(self, *, when_ready: Callable[[], None] | None = None) -> int:
        """Serve until a signal or a failure ends it."""
        self._unseal_if_possible()
        for number, handler in (
            (signal.SIGTERM, self._on_stop),
            (signal.SIGINT, self._on_stop),
            (signal.SIGHUP, self._on_reload),
        ):
            signal.signal(number, handler)
        self._write_pid_file()
        for address in self.addresses:
            self._log.info(f"listening on {address}")
        self._sweeper.start()
        settle_memory()
        if when_ready is not None:
            self.listener.call_soon(when_ready)
        try:
            self.listener.run()
        finally:
            self._end()
        return self._exit_code

    def _listen(self, listener: TcpListener | UnixListener) -> str:
        rules = listener.rules
        limits = Limits(body_bytes=rules.max_request_size)
        timeouts = Timeouts(
            head=float(rules.http_read_header_timeout),
            body=float(rules.http_read_timeout),
            idle=float(rules.http_idle_timeout),
            write=float(rules.http_write_timeout),
        )
        if isinstance(listener, TcpListener):
            address = listener.address
            host, port = self.listener.add_tcp(
                address.host, address.port, tls=listener.tls, limits=limits, timeouts=timeouts
            )
            shown = f"[{host}]" if ":" in host else host
            return f"{'https' if listener.tls else 'http'}://{shown}:{port}"
        self.listener.add_unix(listener.path, mode=listener.mode, limits=limits, timeouts=timeouts)
        return f"unix://{listener.path}"

    def _unseal_if_possible(self) -> None:
        lifecycle = self.node.lifecycle
        if not lifecycle.unseals_by_itself or not lifecycle.status().initialized:
            return
        try:
            self.node.unseal_automatically()
            self._log.info("vault is unsealed")
        except (Damaged, LogicalError):
            self._log.error("the vault could not be unsealed: the seal's key is not the one it was initialized with")

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.listener.stop()

    def _on_reload(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.listener.call_soon(self._reload)

    def _reload(self) -> None:
        self.node.broker.reopen()
        try:
            self.listener.reload_certificates()
        except TlsConfigurationError as error:
            self._log.error(f"the certificates stay as they were: {error}")
        self._log.info("audit files were reopened and certificates read again")

    def _stop_guessing(self) -> None:
        """A commit whose outcome nobody knows: seal and exit, never guess."""
        self._log.error("the store failed while committing and the outcome is unknown; sealing and stopping")
        self._exit_code = EXIT_FAILED
        self.node.seal()
        self.listener.stop()

    def _write_pid_file(self) -> None:
        if self._config.pid_file:
            Path(self._config.pid_file).write_text(f"{os.getpid()}\n", encoding="ascii")

    def _end(self) -> None:
        self._sweeper.stop()
        self._edge.close()
        self.node.close()
        if self._config.pid_file:
            Path(self._config.pid_file).unlink(missing_ok=True)
        self._log.info("stopped")


def reason_for(error: Exception) -> str:
    """One of the START_FAILURES in a sentence."""
    if isinstance(error, OSError) and not isinstance(error, TlsConfigurationError):
        return f"cannot listen: {error.strerror or type(error).__name__}"
    if isinstance(error, LogicalError):
        return "; ".join(error.messages)
    return str(error)
