"""Puts the agent together and runs it to its end."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from strongroom.agent.config_values import AgentConfig
from strongroom.agent.context import Context, Ending, Part, server_settings
from strongroom.agent.journal import Journal
from strongroom.agent.token_source import TokenSource
from strongroom.logical.ambient import SystemClock, SystemEntropy


def parts_of(context: Context) -> list[Part]:
    """The parts that the configuration asks for, in the order in which they start."""
    parts: list[Part] = []
    context.journal.debug("agent", f"{len(parts)} parts")
    return parts


def run(config: AgentConfig, environ: Mapping[str, str], log_level: str = "info") -> int:
    """Run the agent until it is told to end, or has nothing more to do; its exit code. Raises BadSettings, AgentFailed."""
    clock = SystemClock()
    journal = Journal(log_level, clock, sys.stderr.write)
    context = Context(
        config=config,
        settings=server_settings(config.vault, environ),
        tokens=TokenSource(),
        journal=journal,
        clock=clock,
        entropy=SystemEntropy(),
        ending=Ending(),
        environ=environ,
    )
    for warning in config.warnings:
        journal.warn("agent", str(warning))
    return perform(context, parts_of(context))


def perform(context: Context, parts: list[Part]) -> int:
    """Start ``parts``, wait for the end, stop them in the opposite order; the exit code."""
    started: list[Part] = []
    try:
        for part in parts:
            started.append(part)
            part.start()
        context.ending.wait()
    finally:
        for part in reversed(started):
            part.stop()
    return context.ending.exit_code
