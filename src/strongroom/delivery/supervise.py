"""Standing beside a program: its output passes through us, signals pass to it, and it can be started again.

The program has a process group of its own, which gets every signal that is meant for it, and the terminal while we would have
it. All that happens is seen by one loop; signals are passed on where they arrive, even while a reader keeps us waiting.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import NamedTuple

from strongroom.delivery.child import exit_code_of, has_pending
from strongroom.delivery.orphans import Orphans
from strongroom.delivery.redact import Known
from strongroom.delivery.streams import Stream
from strongroom.delivery.terminal import Terminal, somebody_would_continue_us
from strongroom.logical.ambient import Clock

FORWARDED = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTSTP),
)
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
_POLITE = signal.SIGTERM
KILL_AFTER_SECONDS = 10.0
_DRAIN_SECONDS = 1.0

Start = Callable[[Mapping[int, Stream]], int]
"""Starts the program with these streams, and returns its process identifier."""


class Change(NamedTuple):
    """What to do because secrets have changed: mask ``known``, then start again, or send ``signal`` where there is one.

    With neither a start nor a signal the program is to end. ``stop_signal`` asks it to; what does not hear is killed.
    """

    known: Known
    start: Start | None
    signal: signal.Signals | None = None
    stop_signal: signal.Signals = _POLITE


class Service(NamedTuple):
    """The program is one that goes on until it is told to end. ``orphans`` knows who else in this process waits for children."""

    orphans: Orphans


class Supervisor:
    """Runs one program to its end, or again and again. ``change`` may be called from another thread; all else may not."""

    def __init__(
        self,
        start: Start,
        streams: Mapping[int, Stream],
        clock: Clock,
        kill_after_seconds: float = KILL_AFTER_SECONDS,
        *,
        service: Service | None = None,
    ) -> None:
        """Of a ``service`` SIGHUP does not mean the end, and what does not hear that it should end is killed; without one, whoever
        sends the program a signal knows best what to do next.
        """
        self._ending_signals = _ENDING if service is None else _ENDING - {signal.SIGHUP}
        self._is_service = service is not None
        self._orphans = service.orphans if service is not None else Orphans()
        self._start = start
        self._streams = streams
        self._clock = clock
        self._kill_after = kill_after_seconds
        self._group = 0
        self._status: int | None = None
        self._ended_at = 0.0
        self._ending = False  # somebody asked for the end: no other start
        self._unheard: list[int] = []
        self._kill_at: float | None = None
        self._change: Change | None = None
        self._next: Start | None = None
        self._terminal = Terminal(None)
        self._has_terminal = False
        self._wake_lock = threading.Lock()
        self._wake_reader, self._wake_writer = os.pipe()
        for descriptor in (self._wake_reader, self._wake_writer):
            os.set_blocking(descriptor, False)

    def change(self, change: Change) -> None:
        """Secrets have changed; of several changes that wait the last one counts."""
        self._change = change
        self._wake()

    def run(self) -> int:
        """The exit code, once the program has ended. Raises CannotExecute where it cannot be started."""
        self._terminal = Terminal.open()
        with self._signals():
            try:
                self._launch()
                while not self._is_over():
                    self._wait()
            finally:
                if self._has_terminal:
                    self._terminal.take_back()
                self._terminal.close()
                self._close()
        return self._exit_code()

    def _launch(self) -> None:
        self._has_terminal = self._terminal.is_ours()
        self._status, self._kill_at = None, None
        self._group = self._start(self._streams)
        if self._has_terminal:
            self._terminal.give(self._group)
        # What came before it was there to hear.
        while self._unheard:
            self._send(self._unheard.pop(0))

    def _is_over(self) -> bool:
        if self._status is None:
            return False
        if not self._open_streams():
            return True
        # A process that it left behind may hold the pipes for ever.
        return self._clock.monotonic() > self._ended_at + _DRAIN_SECONDS

    def _open_streams(self) -> list[Stream]:
        return [stream for stream in dict.fromkeys(self._streams.values()) if stream.source >= 0]

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._wake_reader, select.POLLIN)
        streams = {stream.source: stream for stream in self._open_streams()}
        for source in streams:
            poll.register(source, select.POLLIN)
        for descriptor, _ in poll.poll(self._timeout_milliseconds()):
            if descriptor == self._wake_reader:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_reader, 4096)
            else:
                self._pass_on(streams[descriptor])
        self._after()

    def _after(self) -> None:
        now = self._clock.monotonic()
        for stream in self._open_streams():
            if stream.deadline is not None and now >= stream.deadline and not stream.release():
                stream.stop_reading()
        self._reap()
        if self._change is not None and self._status is None:
            change, self._change = self._change, None
            self._apply(change)
        if self._kill_at is not None and now >= self._kill_at:
            self._send(signal.SIGKILL)
            self._kill_at = None
        elif self._kill_at is None and self._is_service and self._ending and self._status is None:
            self._kill_at = now + self._kill_after
            self._send(signal.SIGCONT)  # a stopped program does not hear

    def _pass_on(self, stream: Stream) -> None:
        now = self._clock.monotonic()
        if self._status is not None:
            self._ended_at = now
        if not stream.pass_on(now):
            stream.stop_reading()

    def _timeout_milliseconds(self) -> int | None:
        deadlines = [stream.deadline for stream in self._open_streams() if stream.deadline is not None]
        if self._kill_at is not None:
            deadlines.append(self._kill_at)
        if self._status is not None:
            deadlines.append(self._ended_at + _DRAIN_SECONDS)
        if not deadlines:
            return None
        return max(0, int((min(deadlines) - self._clock.monotonic()) * 1000) + 1)

    def _apply(self, change: Change) -> None:
        for stream in self._open_streams():
            stream.learn(change.known)
        if change.signal is not None:
            self._send(change.signal)
        elif not self._ending:
            self._next, self._ending = change.start, change.start is None
            self._kill_at = self._clock.monotonic() + self._kill_after
            self._send(change.stop_signal)
            # A stopped program does not hear.
            self._send(signal.SIGCONT)

    def _reap(self) -> None:
        """Take note of the program's end, and of that of orphans. Any other child is for whoever has started it."""
        while self._status is None:
            try:
                process, status = os.waitpid(self._group, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                break
            if process == 0:
                break
            if os.WIFSTOPPED(status):
                self._stopped(os.WSTOPSIG(status))
            else:
                self._ended(status)
        self._orphans.reap(beside=0 if self._status is not None else self._group)

    def _ended(self, status: int) -> None:
        if self._next is not None and not self._ending:
            # Whatever else it has started goes with it.
            self._send(signal.SIGKILL)
            self._start, self._next = self._next, None
            self._group = 0
            if self._has_terminal:
                self._terminal.take_back()
            self._launch()
            return
        self._status = status
        self._kill_at = None
        self._ended_at = self._clock.monotonic()
        for stream in self._streams.values():
            stream.end_program()

    def _stopped(self, number: int) -> None:
        """The program was stopped: by the terminal's key, mostly. Then whoever started us gets the terminal, until we go on."""
        if number in {signal.SIGTTIN, signal.SIGTTOU} and self._has_terminal and self._terminal.listens_to(self._group):
            # It was faster than we were in handing the terminal over. Going on forgets a stop that was asked for meanwhile.
            is_asked_to_stop = has_pending(self._group, signal.SIGTSTP)
            self._send(signal.SIGCONT)
            if is_asked_to_stop:
                self._send(signal.SIGTSTP)
            return
        if number == signal.SIGSTOP or not somebody_would_continue_us():
            return
        if self._has_terminal:
            self._terminal.take_back()
        os.kill(0, signal.SIGSTOP)
        # Here we go on, when the shell says so: in the foreground or not.
        self._has_terminal = self._terminal.is_ours()
        if self._has_terminal:
            self._terminal.give(self._group)
        self._send(signal.SIGCONT)

    def _exit_code(self) -> int:
        status = self._status
        if status is None:
            raise RuntimeError("the program has not ended")
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        if self._has_terminal and killed_by in {signal.SIGINT, signal.SIGQUIT}:
            # The key was meant for all in the foreground, a script around us included.
            handler = signal.signal(killed_by, signal.SIG_IGN)
            os.kill(0, killed_by)
            signal.signal(killed_by, handler)
        return exit_code_of(status)

    def _send(self, number: int) -> None:
        if self._status is not None:
            # Its number may be another's by now.
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, number)

    def _wake(self) -> None:
        # Another thread may call when all is over, and the number of a closed descriptor is soon somebody else's.
        with self._wake_lock, contextlib.suppress(BlockingIOError):
            if self._wake_writer >= 0:
                os.write(self._wake_writer, b"!")

    def _forward(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number in self._ending_signals:
            self._ending = True
        if self._group:
            self._send(number)
        else:
            self._unheard.append(number)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Pass on what arrives. What was ignored when we were started stays so: ``nohup`` means the program, too."""
        before: dict[signal.Signals, object] = {}
        wakeup = signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        try:
            for number in FORWARDED:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self._forward)
            before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # it is what was there before

    def _close(self) -> None:
        for stream in self._open_streams():
            stream.finish()
        for stream in self._streams.values():
            stream.close()
        with self._wake_lock:
            os.close(self._wake_reader)
            os.close(self._wake_writer)
            self._wake_reader = self._wake_writer = -1
