"""Where the token goes: a file for each sink, always the newest token in it, wrapped where that is asked for."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from strongroom.agent.config_values import FileSink
from strongroom.agent.context import Context
from strongroom.agent.folders import OutputFolders
from strongroom.agent.journal import Told, failure_text
from strongroom.agent.methods import Granted
from strongroom.agent.output_file import OutputFile
from strongroom.client.errors import BadAnswer, ClientError
from strongroom.delivery.private_file import CannotWrite

PART = "sink"


class Sinks:
    """All sinks. Owned by the thread that logs in. What could not be written is tried again with every ``write_pending``."""

    def __init__(self, context: Context, sinks: tuple[FileSink, ...], folders: OutputFolders) -> None:
        self._context = context
        self._files = [(sink, OutputFile(sink.path, sink.mode, folders), Told(context.journal, PART)) for sink in sinks]
        self._pending: list[int] = []
        self._granted: Granted | None = None

    def put(self, granted: Granted) -> None:
        """Every sink gets this token."""
        self._granted = granted
        self._pending = list(range(len(self._files)))

    def write_pending(self) -> bool:
        """Write what is still to be written; whether everything is."""
        if self._granted is not None:
            self._pending = [number for number in self._pending if not self._write(number, self._granted)]
        return not self._pending

    def _write(self, number: int, granted: Granted) -> bool:
        sink, file, told = self._files[number]
        try:
            content = self._content(sink, granted)
            if file.write(content):
                self._context.journal.info(PART, f"the token was written to {sink.path}")
        except CannotWrite as error:
            told.failed(str(error))
            return False
        except ClientError as error:
            told.failed(f"the token for {sink.path} could not be wrapped: {failure_text(error, granted.token)}")
            return False
        told.works()
        return True

    def _content(self, sink: FileSink, granted: Granted) -> bytes:
        if granted.wrapped is not None:
            return _account(granted.wrapped)
        if not sink.wrap_ttl:
            return granted.token.encode()
        settings = self._context.settings._replace(wrap_ttl=f"{sink.wrap_ttl}s")
        with contextlib.closing(self._context.client(granted.token, settings)) as client:
            answer = client.write("sys/wrapping/wrap", {"token": granted.token})
        about = (answer or {}).get("wrap_info")
        if not isinstance(about, dict):
            raise BadAnswer("the server did not wrap it")
        return _account(about)


def _account(about: dict[str, Any]) -> bytes:
    return json.dumps(about).encode()
