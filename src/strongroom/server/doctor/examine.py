"""The list of all checks, the way through it, and what comes of it: a report and an exit code."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import strongroom
from strongroom.logical.ambient import Clock, SystemClock
from strongroom.physical.sqlite.folder import LOCK
from strongroom.server.config import load_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import ServerConfig
from strongroom.server.doctor import of_backups, of_files, of_network, of_process, of_vault
from strongroom.server.doctor.check import Ask, Finding, Level, Scene, looked_at
from strongroom.server.doctor.running import Running, running_on

CHECKS = (*of_process.CHECKS, *of_files.CHECKS, *of_backups.CHECKS, *of_network.CHECKS, *of_vault.CHECKS)
EXIT_FINE, EXIT_FAILS, EXIT_CANNOT_TELL = 0, 1, 2
_TIME_ERROR = 5
_TIMEX_BYTES = 512


def run(config_paths: Sequence[str], ask: Ask | None = None) -> dict[str, Any]:
    """The report about the server that the files at ``config_paths`` describe. ``ask`` is None where nobody is logged in."""
    try:
        config = load_config(list(config_paths))
    except ConfigError as error:
        return {"verdict": Level.UNKNOWN.value, "exit_code": EXIT_CANNOT_TELL, "problem": str(error), "checks": []}
    return report(examine(scene_of(config, config_paths, SystemClock(), ask)))


def scene_of(config: ServerConfig, config_paths: Sequence[str], clock: Clock, ask: Ask | None) -> Scene:
    """What there is to look at on this machine."""
    folder = config.storage.path
    running = running_on(Path(folder), LOCK, config.pid_file) if folder else Running()
    processes = running.processes
    return Scene(
        config=config,
        config_paths=tuple(Path(path) for path in config_paths),
        server_uid=processes[0].uid if processes else _owner(folder),
        processes=processes,
        clock=clock,
        roots=(Path(strongroom.__file__).parent, *_package_folders()),
        ask=ask,
        is_synchronised=_is_synchronised(),
        doubt=running.doubt,
    )


def examine(scene: Scene) -> list[Finding]:
    """What became of every check."""
    return [looked_at(check, scene) for check in CHECKS]


def report(findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings as plain data, with the exit code: 0 nothing fails, 1 something does, 2 it cannot be told."""
    levels = {finding.verdict.level for finding in findings}
    exit_code = EXIT_FAILS if Level.FAIL in levels else EXIT_CANNOT_TELL if Level.UNKNOWN in levels else EXIT_FINE
    verdict = next(level for level in (Level.FAIL, Level.UNKNOWN, Level.WARN, Level.OK) if level in levels | {Level.OK})
    return {
        "verdict": verdict.value,
        "exit_code": exit_code,
        "checks": [
            {
                "id": finding.check.id,
                "verdict": finding.verdict.level.value,
                "what": finding.check.what,
                "found": finding.verdict.text,
                "why": finding.check.why,
                "fix": finding.check.fix,
            }
            for finding in findings
        ],
    }


def table() -> str:
    """All checks as a table, for the documentation."""
    rows = [f"| `{check.id}` | {check.what}. {check.why} | {check.fix} |" for check in CHECKS]
    return "\n".join(["| check | what has to hold, and why | where it does not |", "|---|---|---|", *rows])


def _owner(folder: str) -> int:
    """Who the server will run as: the data folder has to belong to its user."""
    try:
        return Path(folder).stat().st_uid if folder else os.geteuid()
    except OSError:
        return os.geteuid()


def _package_folders() -> list[Path]:
    return [Path(entry) for entry in sys.path if entry.endswith("site-packages") and Path(entry).is_dir()]


def _is_synchronised() -> bool | None:
    """What the kernel says about the clock: an adjustment that changes nothing answers with its state."""
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR
