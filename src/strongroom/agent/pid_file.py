"""The file with the agent's process identifier, for whoever sends it signals."""

from __future__ import annotations

import os

from strongroom.agent.context import AgentFailed
from strongroom.agent.folders import OutputFolders
from strongroom.agent.output_file import OutputFile
from strongroom.delivery.private_file import CannotWrite


class PidFile:
    """The part that writes the file at the start and removes it at the end."""

    def __init__(self, path: str, folders: OutputFolders) -> None:
        self._file = OutputFile(path, 0o600, folders)
        self._is_written = False

    def start(self) -> None:
        """See Part."""
        try:
            self._file.write(f"{os.getpid()}\n".encode())
        except CannotWrite as error:
            raise AgentFailed(f"the pid_file cannot be written: {error}") from None
        self._is_written = True

    def stop(self) -> None:
        """See Part."""
        if self._is_written:
            self._file.remove()
