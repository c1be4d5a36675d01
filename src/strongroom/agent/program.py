"""The program that ``exec`` names: started once its variables have values, started again when they change.

It runs in the main thread, where signals arrive: they are passed on, and its exit code becomes the agent's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from strongroom.agent.config_values import Exec
from strongroom.agent.context import Context
from strongroom.delivery.child import start
from strongroom.delivery.environment import Inheritance, environment
from strongroom.delivery.execute import CannotExecute
from strongroom.delivery.redact import Known
from strongroom.delivery.streams import Stream, descriptors, filtered
from strongroom.delivery.supervise import Change, Service, Supervisor
from strongroom.logical.secret import Secret

PART = "exec"


class Program:
    """See the module. ``put`` and ``commit`` are for the thread that renders, ``run`` for the main one."""

    def __init__(self, context: Context, config: Exec, names: frozenset[str]) -> None:
        self._context = context
        self._config = config
        self._names = names
        self._values: dict[str, Secret[str]] = {}
        self._ever: dict[tuple[str, str], None] = {}
        self._is_newer = False
        self._turn = threading.RLock()  # a signal may interrupt whoever holds it
        self._ready = threading.Event()
        self._supervisor: Supervisor | None = None
        self._starter: Callable[[Mapping[int, Stream]], int] = self._made_starter({})
        context.ending.on_ask(self._end)

    def put(self, name: str, value: Secret[str]) -> None:
        """Another value of a variable. It counts from the next ``commit`` on."""
        self._values[name] = value
        self._is_newer = True

    def commit(self) -> None:
        """Everything that was put belongs together: the program is to have it."""
        if not self._is_newer or self._values.keys() != self._names:
            return
        self._is_newer = False
        with self._turn:
            for name, value in self._values.items():
                self._ever[name, value.reveal()] = None
            environ, known = self._environ(), self._known()
            self._starter = self._made_starter(environ)
            if self._supervisor is not None:
                self._pass_on(self._supervisor, known)
        self._ready.set()

    def run(self) -> int | None:
        """Wait for the values, then run the program to its end; its exit code. None where the end came before it was started."""
        self._ready.wait()
        with self._turn:
            supervisor = self._supervisor = Supervisor(
                self._starter,
                filtered(self._config.redact, self._known()),
                self._context.clock,
                self._config.kill_timeout,
                service=Service(self._context.orphans),
            )
        # Asked once there is somebody to be told: the end may be asked for at any moment, by a signal between two lines.
        if self._context.ending.is_asked_for:
            return None
        self._context.journal.info(PART, f"starting {self._config.command[0]}")
        try:
            return supervisor.run()
        except CannotExecute as error:
            self._context.journal.error(PART, str(error))
            return error.exit_code
        finally:
            with self._turn:
                # Whoever wakes it now would write to somebody else's descriptor.
                self._supervisor = None

    def _pass_on(self, supervisor: Supervisor, known: Known) -> None:
        if not self._config.restart_on_changes:
            self._context.journal.info(PART, "secrets have changed; the program goes on with those it has")
            return
        self._context.journal.info(PART, "secrets have changed: starting the program again")
        supervisor.change(Change(known, self._starter, None, self._config.stop_signal))

    def _end(self) -> None:
        self._ready.set()
        with self._turn:
            if self._supervisor is not None:
                self._supervisor.change(Change(self._known(), None, None, self._config.stop_signal))

    def _environ(self) -> dict[str, str]:
        found = environment((), self._context.environ, Inheritance())
        return found | {name: value.reveal() for name, value in self._values.items()}

    def _known(self) -> Known:
        return Known(list(self._ever) if self._config.redact != "off" else ())

    def _made_starter(self, environ: Mapping[str, str]) -> Callable[[Mapping[int, Stream]], int]:
        return lambda streams: start(self._config.command, environ, descriptors(streams))
