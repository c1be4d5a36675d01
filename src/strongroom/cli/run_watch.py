"""Watching for newer versions while a program runs: the metadata is asked for, and only a change is read.

A server that is away changes nothing: the program goes on with what was read last. What changes several times within a moment is
one change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from strongroom.cli.errors import CommandFailed
from strongroom.client.errors import ApiError, ClientError
from strongroom.delivery.environment import CannotDeliver, Variable
from strongroom.delivery.schedule import Schedule

if TYPE_CHECKING:
    from strongroom.cli.run_sources import Gathered
    from strongroom.client.client import Client

_QUIET_SECONDS = 1.0
_READS_MAX = 10

Read = Callable[["Client"], tuple["Gathered", list[Variable]]]
"""Reads everything anew."""


class Watch:
    """Asks in a thread of its own until ``stop``. ``changed`` gets the new variables; ``tell`` says a sentence to a person, ``report`` to the server what runs."""

    def __init__(
        self,
        client: Client,
        read: Read,
        known: tuple[Gathered, list[Variable]],
        schedule: Schedule,
        changed: Callable[[list[Variable]], None],
        tell: Callable[[str], None],
        report: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._read = read
        self._gathered, self._variables = known
        self._schedule = schedule
        self._changed = changed
        self._tell = tell
        self._report = report
        self._may_ask_metadata = True
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin. The thread ends with the process, at the latest."""
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _run(self) -> None:
        self._report(self._gathered.running)
        while not self._stopped.wait(self._schedule.next_wait()):
            try:
                self._look()
            except (ClientError, CommandFailed, CannotDeliver) as error:
                if self._schedule.failed():
                    text = error.text if isinstance(error, CommandFailed) else str(error)
                    self._tell(f"secrets cannot be read, so the program goes on with those it has: {text}")
            else:
                if self._schedule.answered():
                    self._tell("secrets can be read again")
                self._report(self._gathered.running)

    def _look(self) -> None:
        if not self._may_have_changed():
            return
        gathered, variables = self._read(self._client)
        if _same(variables, self._variables):
            self._gathered = gathered
            return
        for _ in range(_READS_MAX):
            # Somebody may be writing several secrets one after the other.
            if self._stopped.wait(_QUIET_SECONDS):
                return
            before, (gathered, variables) = variables, self._read(self._client)
            if _same(variables, before):
                break
        changed = not _same(variables, self._variables)
        self._gathered, self._variables = gathered, variables
        if changed:
            self._changed(variables)

    def _may_have_changed(self) -> bool:
        if self._gathered.unversioned or not self._may_ask_metadata:
            return True
        for path, version in self._gathered.watched.items():
            try:
                answer = self._client.read(path)
            except ApiError as error:
                if error.status != 403:
                    raise
                # Whoever may read the values alone has them read each time.
                self._may_ask_metadata = False
                return True
            if ((answer or {}).get("data") or {}).get("current_version") != version:
                return True
        return False


def _same(one: list[Variable], other: list[Variable]) -> bool:
    return [item.name for item in one] == [item.name for item in other] and all(
        mine.value == theirs.value for mine, theirs in zip(one, other, strict=True)
    )
