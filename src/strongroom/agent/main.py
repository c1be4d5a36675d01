"""Puts the agent together and runs it to its end."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType

from strongroom.agent import login, rendering
from strongroom.agent.config_values import AgentConfig
from strongroom.agent.consumers import Reporter
from strongroom.agent.context import Context, Ending, Part, server_settings
from strongroom.agent.folders import OutputFolders
from strongroom.agent.goals import Goals
from strongroom.agent.journal import Journal
from strongroom.agent.login import Login
from strongroom.agent.pid_file import PidFile
from strongroom.agent.program import Program
from strongroom.agent.proxy.part import ProxyPart
from strongroom.agent.rendering import Rendering, Renderings
from strongroom.agent.systemd import CredentialSocket, check_credential
from strongroom.agent.targets import FileTarget, ValueTarget, check_variable
from strongroom.agent.token_source import TokenSource
from strongroom.delivery.orphans import Orphans
from strongroom.logical import service_state
from strongroom.logical.ambient import SystemClock, SystemEntropy

_ENDING = (signal.SIGTERM, signal.SIGINT)


def run(config: AgentConfig, environ: Mapping[str, str], log_level: str = "info") -> int:
    """Run the agent until it is told to end, or has nothing more to do; its exit code. Raises BadSettings, AgentFailed."""
    clock = SystemClock()
    context = Context(
        config=config,
        settings=server_settings(config.vault, environ),
        tokens=TokenSource(),
        journal=Journal(log_level, clock, sys.stderr.write),
        clock=clock,
        entropy=SystemEntropy(),
        ending=Ending(),
        # The agent speaks for itself: the program that it runs is not the one that is waited for.
        environ={name: value for name, value in environ.items() if name != service_state.VARIABLE},
        orphans=Orphans(),
        state=service_state.ServiceState(environ, clock),
    )
    for warning in config.warnings:
        context.journal.warn("agent", str(warning))
    return Agent(context).run()


class Agent:
    """All parts of one agent, in the order in which they start."""

    def __init__(self, context: Context) -> None:
        self._context = context
        config = context.config
        folders = OutputFolders(config.allowed_folders)
        has_templates = bool(config.templates or config.env_templates or config.systemd_credentials)
        self._aims = aims = [*([login.GOAL] if config.auto_auth else []), *([rendering.GOAL] if has_templates else [])]
        goals = Goals(aims, self._first_work_done)
        self.parts: list[Part] = []
        self._program: Program | None = None
        self._renderings: Renderings | None = None
        if config.pid_file:
            self.parts.append(PidFile(config.pid_file, folders))
        if config.auto_auth is not None:
            self.parts.append(Login(context, config.auto_auth, folders, goals))
        if config.listeners:
            self.parts.append(ProxyPart(context, folders))
        if has_templates:
            self._add_renderings(folders, goals)

    def _add_renderings(self, folders: OutputFolders, goals: Goals) -> None:
        context, config = self._context, self._context.config
        found = [
            Rendering(context, item.source, FileTarget(context, item, folders), item.wait) for item in config.templates
        ]
        if config.program is not None:
            names = frozenset(item.variable for item in config.env_templates)
            self._program = program = Program(context, config.program, names)
            for variable in config.env_templates:
                put = functools.partial(program.put, variable.variable)
                check = functools.partial(check_variable, variable.variable)
                target = ValueTarget(variable.source.name, check, put)
                found.append(Rendering(context, variable.source, target))
        if config.systemd_credentials is not None:
            answering = CredentialSocket(context, config.systemd_credentials, folders)
            self.parts.append(answering)
            for number, credential in enumerate(config.systemd_credentials.credentials):
                hold = functools.partial(answering.put, number)
                found.append(
                    Rendering(context, credential.source, ValueTarget(credential.source.name, check_credential, hold))
                )
        delivered = self._program.commit if self._program is not None else None
        reporter = Reporter(context)
        self._renderings = Renderings(context, found, goals, delivered, reporter)
        self.parts += [reporter, self._renderings]

    def run(self) -> int:
        """Start everything, wait for the end, stop everything in the opposite order; the exit code. Raises AgentFailed."""
        started: list[Part] = []
        code: int | None = None
        with _signals(self._context, self._look_now):
            try:
                for part in self.parts:
                    started.append(part)
                    part.start()
                if not self._aims:
                    self._context.state.ready()
                if self._program is not None:
                    code = self._program.run()
                else:
                    self._context.ending.wait()
            finally:
                self._context.state.stopping()
                for part in reversed(started):
                    part.stop()
        asked = self._context.ending.exit_code
        return asked if asked or code is None else code

    def _look_now(self) -> None:
        if self._renderings is not None:
            self._renderings.look_now()

    def _first_work_done(self) -> None:
        self._context.journal.info("agent", "everything is in place")
        self._context.state.ready()
        if self._context.config.exit_after_auth:
            self._context.ending.ask(0)


@contextlib.contextmanager
def _signals(context: Context, look: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT end the agent; SIGHUP has it look at every secret now; SIGCHLD tells of orphans, where they are given to it."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        context.ending.ask(0)

    def reap(number: int, frame: FrameType | None) -> None:
        del number, frame
        context.orphans.reap()

    def look_now(number: int, frame: FrameType | None) -> None:
        del number, frame
        # In a thread: the lock that it takes may be held by the very code that the signal has interrupted.
        threading.Thread(target=look, name="look", daemon=True).start()

    before = {number: signal.signal(number, end) for number in _ENDING}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, look_now)
    if context.orphans.are_ours():
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, reap)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
