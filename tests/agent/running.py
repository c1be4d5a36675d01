"""An agent as a process of its own, its configuration, and programs for it to run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.agent.workshop import Approle
from tests.processes import wait_until


class Running:
    """An agent process."""

    def __init__(self, folder: Path, config: str, address: str, *flags: str, before: Sequence[str] = ()) -> None:
        self.folder = folder
        (folder / "agent.hcl").write_text(config)
        self._log = folder / "agent.log"
        self._out = folder / "agent.out"
        environ = {"PATH": os.environ["PATH"], "STRONGROOM_ADDR": address, "VAULT_TOKEN": "CANARY-of-the-agent"}
        with self._log.open("ab") as err, self._out.open("ab") as out:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "strongroom", "agent", f"-config={folder}/agent.hcl", *flags],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environ,
                cwd=folder,
            )

    @property
    def said(self) -> str:
        """Its log."""
        return self._log.read_text()

    @property
    def out(self) -> str:
        """What the program has written."""
        return self._out.read_text()

    def until(self, path: Path, content: str) -> None:
        """Wait for a file to hold something."""
        wait_until(lambda: path.exists() and content in path.read_text(), process=self.process)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


def run(
    agents: contextlib.ExitStack, folder: Path, config: str, address: str, *flags: str, before: Sequence[str] = ()
) -> Running:
    """Run an agent until the stack ends; ``before`` stands before its command line."""
    agent = Running(folder, config, address, *flags, before=before)

    def end() -> None:
        # Politely, or the program that it runs would live on without it.
        agent.process.terminate()
        try:
            agent.process.wait(30)
        except subprocess.TimeoutExpired:
            agent.process.kill()
            agent.process.wait(30)

    agents.callback(end)
    return agent


def config_of(role: Approle, rest: str) -> str:
    """A configuration that logs in, and looks for changes each second."""
    return (
        f"auto_auth {{ {role.method('remove_secret_id_file_after_reading = false')} }}\n"
        f'template_config {{ static_secret_render_interval = "1s" }}\n{rest}'
    )


def variable(name: str, path: str) -> str:
    """A variable of the program that is a field of a secret."""
    inner = f'{{{{ with secret \\"secret/data/{path}\\" }}}}{{{{ .Data.data.{name} }}}}{{{{ end }}}}'
    return f'env_template "{name}" {{ contents = "{inner}" }}\n'


def script(folder: Path, text: str) -> str:
    """A program that notes in ``seen`` what it got."""
    (folder / "app").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "app").chmod(0o700)
    return f'"{folder}/app"'
