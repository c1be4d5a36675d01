"""``strongroom server``: from configuration files to a process that serves until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from strongroom.barrier.tampering import TamperedStore
from strongroom.core.audit_keeper import AuditKeeper
from strongroom.core.background import Background
from strongroom.core.backup_keeper import BackupKeeper
from strongroom.core.batch import Alarms
from strongroom.core.inspector import Inspector
from strongroom.core.reuse_learner import ReuseLearner
from strongroom.core.sweeper import Sweeper
from strongroom.crypto.aead import Damaged
from strongroom.http.errors import encode_error
from strongroom.http.listener import Listener
from strongroom.http.parser import Limits
from strongroom.http.shared import Timeouts
from strongroom.http.tls import TlsConfigurationError
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import LogicalError
from strongroom.logical.service_state import NOBODY, ServiceState
from strongroom.physical.sqlite import hold_folder
from strongroom.physical.store import Unavailable
from strongroom.server.assemble import assemble, open_store
from strongroom.server.commons import bounds_of, new_commons, shortage
from strongroom.server.config import load_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import ServerConfig, StorageType, TcpListener, UnixListener
from strongroom.server.crew import STEERING, Follower, Leader, muster
from strongroom.server.doorman import Asks
from strongroom.server.edge import Edge
from strongroom.server.listening import address_of, bound
from strongroom.server.log import Complaints, Log
from strongroom.server.process import protect, scrub_cache, scrub_freed_memory, settle
from strongroom.server.readings import read_edge
from strongroom.server.reload import reload
from strongroom.server.vital import is_vital
from strongroom.system.node import Node

EXIT_FAILED = 1
STOP_SECONDS = 5.0
"""How long the leader waits for followers that had their time already, before it ends them."""
LOST_SECONDS = 0.5
"""How long answers that are ready may still be sent after another process of this server died."""
PUBLISH_SECONDS = 1.0
"""How old the numbers of another process are at most when somebody asks for the metrics."""
SENT_SECONDS = 1.0
"""So long after an answer was handed out it has left, and what waited for that is done."""
END_SECONDS = 1.5
"""How long this process may take to end after that."""
_MIGRATION = (
    "the vault waits for its migration to another seal: unseal it with -migrate, or configure the former seal again"
)
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
        with prepared(config) as (sockets, role):
            state = ServiceState(os.environ, SystemClock())
            server = Server(config, log, sockets, role, state)
            return server.serve(when_ready=state.ready)
    except START_FAILURES as error:
        log.error(reason_for(error))
        return EXIT_FAILED


Role = Leader | Follower | None
"""Who a process is among those that serve the same sockets; None where it is the only one."""


class Server:
    """One process: a vault, its listener and the signals that steer it."""

    def __init__(
        self,
        config: ServerConfig,
        log: Log,
        sockets: Sequence[socket.socket],
        role: Role = None,
        state: ServiceState = NOBODY,
    ) -> None:
        protect(log.warning, locks_memory=config.lock_memory)
        self._config = config
        self._log = log
        self._role = role
        # The leader alone speaks for all of them.
        self._state = NOBODY if isinstance(role, Follower) else state
        self._exit_code = 0
        self._is_ending = False
        self._is_over = False
        clock, entropy = SystemClock(), SystemEntropy()
        commons = role.commons if role is not None else new_commons(entropy, bounds_of(config))
        if not isinstance(role, Follower) and (short := shortage(config, commons.visitors.bounds)):
            log.warning(short)
        self.node: Node = assemble(
            config,
            clock,
            entropy,
            is_shared=role is not None,
            commons=commons,
            opens_vault=not isinstance(role, Follower),
        )
        forward = role.forward if isinstance(role, Follower) else None
        alarms = Alarms(log.failure, self._stop_guessing, Complaints(log, clock))
        self._edge = Edge(self.node, alarms, call_later=self._call_later, forward=forward, log=log)
        self.listener = Listener(
            self._edge,
            clock,
            visitors=commons.visitors,
            is_vital=is_vital,
            on_failure=log.failure,
        )
        self.addresses = [
            self._listen(listener, listening) for listener, listening in zip(config.listeners, sockets, strict=True)
        ]
        self.node.integrity.on_alarm = log.error
        of_all = (AuditKeeper(self.node, log.warning, alarms), ReuseLearner(self.node, log.failure))
        of_one = (
            Sweeper(self.node, alarms),
            Inspector(self.node, log.failure),
            BackupKeeper(self.node, log.error, log.failure),
        )
        self._behind: tuple[Background, ...] = of_all if isinstance(role, Follower) else of_one + of_all
        read_edge(self.node.telemetry, self.listener, self._edge.pool)
        self.node.lifecycle.call_at_seal(self._scrub)
        self.node.scrub = self._scrub
        self.node.after_answer = self._after_answer

    def serve(self, *, when_ready: Callable[[], None] | None = None) -> int:
        """Serve until a signal or a failure ends it. ``when_ready`` is called once connections are taken, by the first process alone."""
        self._join_crew()
        self._unseal_if_possible()
        self._listen_to_signals()
        if not isinstance(self._role, Follower):
            self._write_pid_file()
            for address in self.addresses:
                self._log.info(f"listening on {address}")
        for background in self._behind:
            background.start()
        self._publish()
        settle()
        if when_ready is not None and not isinstance(self._role, Follower):
            self.listener.call_soon(when_ready)
        try:
            self.listener.run()
        finally:
            self._end()
        return self._exit_code

    def _join_crew(self) -> None:
        if isinstance(self._role, Leader):
            self.node.siblings = self._role
            for _ in range(self._role.followers):
                self.listener.hold()
            self._role.start(self)
        elif isinstance(self._role, Follower):
            self._role.start(self.node, self)

    def _listen_to_signals(self) -> None:
        for number, handler in (
            (signal.SIGTERM, self._on_stop),
            (signal.SIGINT, self._on_stop),
            (signal.SIGHUP, self._on_reload),
        ):
            signal.signal(number, handler)
        # What came since the processes were made waits for this.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STEERING)

    # What the other processes of this server want. They call from threads of their own.

    def take(self, asked: Asks) -> None:
        """A follower's request: answered on our loop like our own."""
        self.listener.call_soon(lambda: self._answer(asked))

    def begin_stop(self) -> None:
        """Finish what is under way and end."""
        self.listener.call_soon(self._begin_stop)

    def mate_gone(self) -> None:
        """No more requests of that follower."""
        self.listener.release()

    def lose(self) -> None:
        """Another process of this server is gone: none goes on without it."""
        self._limit_the_end()
        self.listener.call_soon(self._lose)

    def failed(self, failure: Exception) -> None:
        """A mistake of ours."""
        self._log.failure(failure)

    def _answer(self, asked: Asks) -> None:
        try:
            self._edge([asked])
        except Exception as failure:
            asked.respond(encode_error(failure))
            raise

    def _begin_stop(self) -> None:
        self._state.stopping()
        if isinstance(self._role, Leader):
            self._role.stop()
        self.listener.stop()

    def _lose(self) -> None:
        # One line is enough, and the leader knows best.
        if isinstance(self._role, Leader) and not self._is_ending:
            self._log.error("a process of this server ended or gave up; sealing and stopping")
        self._end_at_once()

    def _limit_the_end(self) -> None:
        """Nothing holds up an end that must be quick: no pool that is busy, no loop that waits for the disk."""
        limit = threading.Timer(END_SECONDS, os._exit, (EXIT_FAILED,))
        limit.daemon = True
        limit.start()

    def _end_at_once(self) -> None:
        if self._is_ending:
            return
        self._is_ending = True
        self._exit_code = EXIT_FAILED
        self.listener.stop(within_seconds=LOST_SECONDS)
        if isinstance(self._role, Leader):
            self._role.abandon()
        elif isinstance(self._role, Follower):
            self._role.give_up()
        self._seal()
        self._state.stopping()

    def _seal(self) -> None:
        try:
            self.node.seal()
        except (LogicalError, Unavailable):
            return  # not initialized, or the store does not say whether it is: there is no key then

    def scrub(self) -> None:
        """Overwrite what was freed, in this process: soon, and again once the answer under way has left."""
        if not self._is_over:  # at the end all memory goes back anyway
            self.listener.call_soon(self._scrub_here)
            self.listener.call_soon(lambda: self.listener.call_later(SENT_SECONDS, self._scrub_here))

    def _scrub(self) -> None:
        if isinstance(self._role, Leader):
            self._role.scrub()
        self.scrub()

    def _scrub_here(self) -> None:
        scrub_freed_memory()
        self._edge.pool.on_each_thread(scrub_cache)

    def _after_answer(self, call: Callable[[], None]) -> None:
        thread = threading.Thread(target=call, name="after-answer", daemon=True)
        self.listener.call_soon(lambda: self.listener.call_later(SENT_SECONDS, thread.start))

    def _listen(self, listener: TcpListener | UnixListener, listening: socket.socket) -> str:
        rules = listener.rules
        timeouts = Timeouts(
            head=float(rules.http_read_header_timeout),
            body=float(rules.http_read_timeout),
            idle=float(rules.http_idle_timeout),
            write=float(rules.http_write_timeout),
            wait=float(rules.max_request_duration),
        )
        self.listener.add_socket(
            listening,
            tls=listener.tls if isinstance(listener, TcpListener) else None,
            limits=Limits(body_bytes=rules.max_request_size),
            timeouts=timeouts,
            unix_path="" if isinstance(listener, TcpListener) or isinstance(self._role, Follower) else listener.path,
            is_shared=self._role is not None,
            shows_metrics=rules.unauthenticated_metrics_access,
        )
        return address_of(listener, listening)

    def _unseal_if_possible(self) -> None:
        lifecycle = self.node.lifecycle
        if isinstance(self._role, Follower) or not lifecycle.status().initialized:
            return
        if lifecycle.is_migrating:
            self._log.warning(_MIGRATION)
        if lifecycle.is_migrating or not lifecycle.unseals_by_itself:
            return
        try:
            self.node.unseal_automatically()
            self._log.info("vault is unsealed")
        except TamperedStore as error:
            self._log.error(reason_for(error))
        except (Damaged, LogicalError):
            self._log.error("the vault could not be unsealed: the seal's key is not the one it was initialized with")

    def _publish(self) -> None:
        """Show the other processes what this one reads of itself, now and every second."""
        self.node.telemetry.publish()
        self._call_later(PUBLISH_SECONDS, self._publish)

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.listener.call_later(seconds, call)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        # Not here: this may have interrupted whoever holds the lock of the link.
        self.listener.call_soon(self._ask_to_stop)

    def _ask_to_stop(self) -> None:
        if isinstance(self._role, Follower):
            self._role.ask_to_stop()
        else:
            self._begin_stop()

    def _on_reload(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.listener.call_soon(self._reload)

    def _reload(self) -> None:
        self._state.reloading()
        if isinstance(self._role, Leader):
            self._role.reload()
        reload(self.node.broker, self.listener, self._log)
        self._state.ready()

    def _stop_guessing(self) -> None:
        """A commit whose outcome nobody knows: seal and exit, never guess."""
        self._log.error("the store failed while committing and the outcome is unknown; sealing and stopping")
        self.listener.call_soon(self._end_at_once)
        # Now, and not only in the next round: nothing may be answered by guessing meanwhile.
        self._seal()

    def _write_pid_file(self) -> None:
        if self._config.pid_file:
            Path(self._config.pid_file).write_text(f"{os.getpid()}\n", encoding="ascii")

    def _end(self) -> None:
        self._is_over = True
        for background in self._behind:
            background.stop()
        self._edge.close()
        self.node.close()
        if isinstance(self._role, Follower):
            return
        if isinstance(self._role, Leader):
            self._role.abandon()
            self._role.wait(LOST_SECONDS if self._is_ending else STOP_SECONDS)
        if self._config.pid_file:
            Path(self._config.pid_file).unlink(missing_ok=True)
        self._log.info("stopped")


@contextlib.contextmanager
def prepared(config: ServerConfig) -> Iterator[tuple[list[socket.socket], Role]]:
    """The listening sockets, and who this process is among those that serve them: None where it is the only one."""
    with contextlib.ExitStack() as stack:
        sockets = [bound(listener, stack) for listener in config.listeners]
        if config.workers < 2 or config.storage.type is StorageType.MEMORY:
            yield sockets, None
            return
        open_store(config).close()  # made and checked once, before there are several who would do it
        # Every process keeps it: the folder is free when the last of them is gone, and not before.
        stack.callback(hold_folder(Path(config.storage.path)).release)
        role = muster(new_commons(SystemEntropy(), bounds_of(config), processes=config.workers), SystemClock())
        if isinstance(role, Follower):
            stack.pop_all()  # what is to be taken away at the end is the leader's business
            yield sockets, role
            os._exit(0)
        yield sockets, role


def reason_for(error: Exception) -> str:
    """One of the START_FAILURES in a sentence."""
    if isinstance(error, OSError) and not isinstance(error, TlsConfigurationError):
        return f"cannot start: {error.strerror or type(error).__name__}"
    if isinstance(error, LogicalError):
        return "; ".join(error.messages)
    return str(error)
