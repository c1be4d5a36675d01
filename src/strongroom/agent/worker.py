"""A thread that does one thing again and again: a step, then a wait that the step decides, or until it is woken."""

from __future__ import annotations

import threading
from collections.abc import Callable

from strongroom.logical.ambient import Clock

Step = Callable[[], float | None]
"""Does what is due, and says in how many seconds something will be due again; None: only when woken."""

_LONGEST_WAIT_SECONDS = 60.0


class Worker:
    """Runs ``step`` in a thread of its own, from ``start`` to ``stop``. What the step raises ends the agent, through ``failed``.

    The step alone owns what it works with. ``wake`` and ``is_stopping`` may be used from any thread.
    """

    def __init__(
        self,
        name: str,
        step: Step,
        clock: Clock,
        failed: Callable[[str, Exception], None],
        patience: Callable[[float], float],
    ) -> None:
        """``patience`` says, of the time that it is, how many seconds the thread may still take to end once it is told to."""
        self._name = name
        self._step = step
        self._clock = clock
        self._failed = failed
        self._patience = patience
        self._stopping = False
        self._woken = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether the thread should end."""
        return self._stopping

    def start(self) -> None:
        """Begin with a step."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is going on, and wait for that, but not for ever."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(self._patience(self._clock.monotonic()))

    def wake(self) -> None:
        """Do a step now; if one is going on, another after it."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """For a step that has to wait in its middle: until then, or the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def _run(self) -> None:
        try:
            while not self._stopping:
                due = self._step()
                self._wait(None if due is None else self._clock.monotonic() + due)
        except Exception as error:  # noqa: BLE001 -- whatever it is, somebody must learn of it: a dead thread says nothing
            self._failed(self._name, error)

    def _wait(self, due: float | None) -> None:
        with self._changed:
            while not (self._stopping or self._woken):
                rest = _LONGEST_WAIT_SECONDS if due is None else due - self._clock.monotonic()
                if rest <= 0:
                    break
                # Not for long at once: whoever suspends the machine stops our clock.
                self._changed.wait(min(rest, _LONGEST_WAIT_SECONDS))
            self._woken = False
