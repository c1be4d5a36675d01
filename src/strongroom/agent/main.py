"""Puts the agent together and runs it to its end."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Mapping
from types import FrameType

from strongroom.agent.config_values import AgentConfig
from strongroom.agent.context import Context, Ending, Part, server_settings
from strongroom.agent.folders import OutputFolders
from strongroom.agent.goals import Goals
from strongroom.agent.journal import Journal
from strongroom.agent.login import GOAL, Login
from strongroom.agent.pid_file import PidFile
from strongroom.agent.token_source import TokenSource
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
        environ=environ,
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
        goals = Goals([GOAL] if config.auto_auth else [], self._first_work_done)
        self.parts: list[Part] = []
        if config.pid_file:
            self.parts.append(PidFile(config.pid_file, folders))
        if config.auto_auth is not None:
            self.parts.append(Login(context, config.auto_auth, folders, goals))

    def run(self) -> int:
        """Start everything, wait for the end, stop everything in the opposite order; the exit code. Raises AgentFailed."""
        started: list[Part] = []
        with _signals(self._context.ending):
            try:
                for part in self.parts:
                    started.append(part)
                    part.start()
                self._context.ending.wait()
            finally:
                for part in reversed(started):
                    part.stop()
        return self._context.ending.exit_code

    def _first_work_done(self) -> None:
        self._context.journal.info("agent", "everything is in place")
        if self._context.config.exit_after_auth:
            self._context.ending.ask(0)


@contextlib.contextmanager
def _signals(ending: Ending) -> Iterator[None]:
    """SIGTERM and SIGINT end the agent."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        ending.ask(0)

    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
