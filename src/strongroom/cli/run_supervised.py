"""``run`` while Strongroom stays beside the program: restarts, masked output, credentials as files, a pipe to read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from strongroom.cli.errors import CommandFailed
from strongroom.cli.run_consumers import Report
from strongroom.cli.run_watch import Watch
from strongroom.delivery.child import start
from strongroom.delivery.credentials import VARIABLE, CredentialsDirectory
from strongroom.delivery.environment import Inheritance, Variable, environment
from strongroom.delivery.execute import CannotExecute
from strongroom.delivery.export.document import Export
from strongroom.delivery.export.formats import FORMATS, MOUNTED
from strongroom.delivery.fifo import Fifo
from strongroom.delivery.redact import Known
from strongroom.delivery.schedule import Schedule
from strongroom.delivery.streams import Stream, descriptors, filtered
from strongroom.delivery.supervise import Change, Supervisor
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.instant import parse_duration

if TYPE_CHECKING:
    from strongroom.cli.run_sources import Gathered
    from strongroom.cli.session import Session
    from strongroom.client.client import Client

RESTART = "restart"


class Plan(NamedTuple):
    """How to stand beside the program. ``watch`` is ``""``, ``restart`` or ``signal:NAME``."""

    watch: str = ""
    interval_seconds: float = 30.0
    redact: str = "auto"
    creds_dir: bool = False
    mount: str = ""
    mount_format: str = "dotenv"
    mount_reads_max: int = 1

    @property
    def as_files(self) -> bool:
        """Whether the values go into files, and not into variables."""
        return self.creds_dir or bool(self.mount)

    @property
    def signal(self) -> signal.Signals | None:
        """The signal to send after a change; None for a restart."""
        return signal_named(self.watch.partition(":")[2]) if self.watch.startswith("signal:") else None


def plan_of(flags: Mapping[str, Any]) -> Plan:
    """What the flags ask for. Raises CommandFailed for a word that is none of those that a flag takes."""
    watch = flags["watch"]
    if watch not in {"", RESTART} and not watch.startswith("signal:"):
        raise CommandFailed("-watch takes restart, or signal:NAME as in -watch=signal:HUP")
    if watch.startswith("signal:"):
        signal_named(watch.partition(":")[2])
    if flags["redact"] not in {"auto", "on", "off"}:
        raise CommandFailed("-redact takes auto, on or off")
    if flags["mount_format"] not in MOUNTED:
        raise CommandFailed(f"-mount-format is one of {', '.join(MOUNTED)}")
    if flags["mount_max_reads"] < 0:
        raise CommandFailed("-mount-max-reads takes a number of reads; 0 is any number")
    interval = float(parse_duration(flags["watch_interval"] or "30s"))
    if interval < 1:
        raise CommandFailed("-watch-interval is a second at least")
    return Plan(
        watch,
        interval,
        flags["redact"],
        flags["creds_dir"],
        flags["mount"],
        flags["mount_format"],
        flags["mount_max_reads"],
    )


def signal_named(name: str) -> signal.Signals:
    """The signal called ``name``, with or without SIG. Raises CommandFailed."""
    found = getattr(signal, "SIG" + name.upper().removeprefix("SIG"), None)
    if not isinstance(found, signal.Signals):
        raise CommandFailed(f"-watch=signal: there is no signal called {name!r}; HUP and USR1 are the usual ones")
    return found


class Delivered:
    """What the program has been given: variables, files, a pipe. ``update`` gives it newer ones."""

    def __init__(self, plan: Plan, inherited: Mapping[str, str], inheritance: Inheritance, stack: ExitStack) -> None:
        self._plan = plan
        self._inherited = inherited
        self._inheritance = inheritance
        self._stack = stack
        self._variables: list[Variable] = []
        self._all: list[tuple[str, str]] = []
        self._folder: CredentialsDirectory | None = None

    def give(self, session: Session, variables: list[Variable]) -> None:
        """Prepare everything for the first start. Raises CannotDeliver."""
        plan = self._plan
        if plan.creds_dir:
            self._folder = CredentialsDirectory(self._inherited)
            self._stack.callback(self._folder.remove)
            if not self._folder.is_in_memory:
                session.note(f"no folder in memory could be had: the credentials lie in {self._folder.path}, on a disk")
        self.update(variables)
        if plan.mount:
            fifo = Fifo(os.path.abspath(plan.mount), self._document, plan.mount_reads_max)  # noqa: PTH100 -- a name as it is
            self._stack.callback(fifo.close)

    def update(self, variables: list[Variable]) -> None:
        """Take newer values. Raises CannotDeliver."""
        if self._plan.mount:
            FORMATS[self._plan.mount_format].write(Export(variables))
        if self._folder is not None:
            self._folder.write({item.name: item.value for item in variables})
        self._variables = variables
        self._all += [(item.name, item.value.reveal()) for item in variables]
        self._all = list(dict.fromkeys(self._all))

    @property
    def known(self) -> Known:
        """Everything to mask: what the program has now, and what it had before."""
        return Known(self._all if self._plan.redact != "off" else ())

    @property
    def environ(self) -> dict[str, str]:
        """The program's environment."""
        found = environment(() if self._plan.as_files else self._variables, self._inherited, self._inheritance)
        if self._folder is not None:
            found[VARIABLE] = self._folder.path
        return found

    def _document(self) -> bytes:
        return FORMATS[self._plan.mount_format].write(Export(self._variables))


def supervise(
    session: Session,
    words: Sequence[str],
    plan: Plan,
    read: Callable[[Client], tuple[Gathered, list[Variable]]],
    first: tuple[Gathered, list[Variable]],
    delivery: tuple[Mapping[str, str], Inheritance],
) -> int:
    """Run the program to its end; its exit code. Raises CannotDeliver, or CommandFailed where it cannot be started."""
    with ExitStack() as stack:
        delivered = Delivered(plan, *delivery, stack)
        delivered.give(session, first[1])
        known = delivered.known
        streams = filtered(plan.redact, known)
        if streams and known.skipped:
            names = ", ".join(dict.fromkeys(known.skipped))
            session.note(f"too short to be masked in the output (fewer than 8 bytes): {names}")
        supervisor = Supervisor(_starter(words, delivered.environ), streams, SystemClock())
        if plan.watch:
            watch = _watch(session, words, plan, read, first, delivered, supervisor)
            stack.callback(watch.stop)
            watch.start()
        sys.stdout.flush()
        try:
            return supervisor.run()
        except CannotExecute as error:
            raise CommandFailed(str(error), error.exit_code) from None


def _starter(words: Sequence[str], environ: Mapping[str, str]) -> Callable[[Mapping[int, Stream]], int]:
    return lambda streams: start(words, environ, descriptors(streams))


def _watch(
    session: Session,
    words: Sequence[str],
    plan: Plan,
    read: Callable[[Client], tuple[Gathered, list[Variable]]],
    first: tuple[Gathered, list[Variable]],
    delivered: Delivered,
    supervisor: Supervisor,
) -> Watch:
    def changed(variables: list[Variable]) -> None:
        delivered.update(variables)
        number = plan.signal
        session.note("secrets have changed: " + (f"sending {number.name}" if number else "starting the program again"))
        again = None if number else _starter(words, delivered.environ)
        supervisor.change(Change(delivered.known, again, number))

    client = session.client_with(session.settings._replace(wrap_ttl="", max_retries=0))
    schedule, report = Schedule(plan.interval_seconds, SystemEntropy()), Report(client, words[0])
    return Watch(client, read, first, schedule, changed, session.note, report.tell)
