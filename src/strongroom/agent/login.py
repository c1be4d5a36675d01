"""Being logged in, all the time: log in, renew at two thirds of the token's life, log in again before it ends or once it is refused.

The whole state is owned by one thread, which runs ``step``. Failures are told once and tried again, ever more rarely; nothing
ends the agent unless the configuration says so.
"""

from __future__ import annotations

import contextlib
import threading
from typing import NamedTuple

from strongroom.agent.config_values import AutoAuth
from strongroom.agent.context import Context
from strongroom.agent.folders import OutputFolders
from strongroom.agent.goals import Goals
from strongroom.agent.input_file import CannotRead
from strongroom.agent.journal import Told, failure_text
from strongroom.agent.methods import Granted, LoginFailed, LoginMethod, granted_by, method_of
from strongroom.agent.sinks import Sinks
from strongroom.agent.token_source import same_token
from strongroom.agent.worker import Worker
from strongroom.client.errors import ApiError, ClientError

PART = "login"
GOAL = "sinks"
CHECK_SECONDS = 300.0
"""How often the server is asked whether the token still lives, where nothing else would show it."""

_RENEW_AT = 2 / 3
_SPREAD = 0.1
_SHRUNK = 0.5  # of its first life: what a renewal gives less than this ends soon
_SOONEST_SECONDS = 1.0
_SINK_RETRY_SECONDS = 5.0
_DOUBLINGS_MAX = 20
_DOUBTS_SECONDS = 5.0  # programs that ask for what they may not have do not make us ask as often


class _Session(NamedTuple):
    """The token that we live on. Times are on the monotonic clock; ``due`` is when to renew it or log in again."""

    granted: Granted
    first_ttl: int
    due: float
    ends: float | None

    def __repr__(self) -> str:
        return f"_Session({self.granted!r})"


class Login:
    """The part that keeps the agent logged in. ``step`` is for its own thread, and for tests."""

    def __init__(self, context: Context, auto_auth: AutoAuth, folders: OutputFolders, goals: Goals) -> None:
        self._context = context
        self._config = auto_auth.method
        self._method: LoginMethod = method_of(context, auto_auth.method)
        self._sinks = Sinks(context, auto_auth.sinks, folders)
        self._goals = goals
        self._told = Told(context.journal, PART)
        self._session: _Session | None = None
        self._retry_at = 0.0
        self._failures = 0
        self._check_at = 0.0
        self._checked_at = float("-inf")
        self._doubted = threading.Event()
        self._worker = Worker("login", self.step, context.clock, self._broke, context.ending.patience)
        context.tokens.on_doubt(self._doubt)

    def start(self) -> None:
        """See Part."""
        self._worker.start()

    def stop(self) -> None:
        """See Part. The token is not revoked: whoever reads a sink may still work with it."""
        self._worker.stop()

    def step(self) -> float:
        """Do what is due; seconds until something will be."""
        now = self._context.clock.monotonic()
        self._end_session(now)
        if self._doubted.is_set():
            self._check_at = min(self._check_at, self._checked_at + _DOUBTS_SECONDS)
        if self._session is not None and now >= self._check_at:
            self._check(self._session, now)
        if now >= self._retry_at:
            if self._session is None:
                self._log_in()
            elif now >= self._session.due:
                self._renew(self._session)
        written = self._session is None or self._sinks.write_pending()
        if self._session is not None and written:
            self._goals.reached(GOAL)
        return self._next(written=written)

    def _next(self, *, written: bool) -> float:
        now = self._context.clock.monotonic()
        due = [self._retry_at] if self._session is None else [max(self._session.due, self._retry_at), self._check_at]
        if self._session is not None and self._session.ends is not None:
            due.append(self._session.ends)
        if not written:
            due.append(now + _SINK_RETRY_SECONDS)
        return max(0.0, min(due) - now)

    def _log_in(self) -> None:
        try:
            granted = self._method.log_in()
        except (LoginFailed, CannotRead, ClientError) as error:
            self._failed(f"logging in does not work: {failure_text(error, *self._method.sent)}")
            return
        if self._told.works() or self._session is None:
            self._context.journal.info(PART, f"logged in with {self._config.kind}")
        self._begin(granted, granted.ttl_seconds)

    def _renew(self, session: _Session) -> None:
        if not session.granted.renewable or session.granted.ttl_seconds < session.first_ttl * _SHRUNK:
            self._log_in()
            return
        token = session.granted.token
        try:
            with contextlib.closing(self._context.client(token)) as client:
                renewed = granted_by(client.write("auth/token/renew-self", {}))
        except ApiError as error:
            if error.status < 500 and error.status not in {412, 429}:
                self._context.journal.info(PART, f"the token is not renewed: {failure_text(error, token)}")
                self._log_in()
                return
            self._failed(f"the token cannot be renewed: {failure_text(error, token)}", ends=False)
        except ClientError as error:
            self._failed(f"the token cannot be renewed: {failure_text(error, token)}", ends=False)
        else:
            self._told.works()
            self._context.journal.debug(PART, f"the token was renewed for {renewed.ttl_seconds} seconds")
            self._begin(renewed, session.first_ttl)

    def _check(self, session: _Session, now: float) -> None:
        self._doubted.clear()
        self._checked_at, self._check_at = now, now + CHECK_SECONDS
        token = session.granted.token
        if not token:
            return
        try:
            with contextlib.closing(self._context.client(token)) as client:
                client.ask("auth/token/lookup-self")
        except ApiError as error:
            # A policy may keep the token from looking at itself: what lives is not refused by renew-self then either.
            if error.status == 403 and self._is_dead(token):
                self._context.journal.warn(PART, "the server does not know the token any more: logging in again")
                self._lose()
        except ClientError as error:
            self._context.journal.debug(PART, f"the token cannot be checked: {failure_text(error, token)}")

    def _is_dead(self, token: str) -> bool:
        """Whether a refused token is none, and not only one that may do little."""
        try:
            with contextlib.closing(self._context.client(token)) as client:
                client.write("sys/capabilities-self", {"paths": ["auth/token/lookup-self"]})
        except ApiError as error:
            return error.status == 403
        except ClientError:
            return False
        return False

    def _begin(self, granted: Granted, first_ttl: int) -> None:
        now = self._context.clock.monotonic()
        self._failures, self._retry_at = 0, 0.0
        due, ends = float("inf"), None
        if granted.ttl_seconds:
            part = granted.ttl_seconds * _RENEW_AT * (1 - _SPREAD * self._drawn())
            due, ends = now + max(_SOONEST_SECONDS, part), now + granted.ttl_seconds
        before = self._session.granted if self._session else None
        is_another = before is None or before.wrapped != granted.wrapped or not same_token(before.token, granted.token)
        self._session = _Session(granted, first_ttl, due, ends)
        self._check_at = now + CHECK_SECONDS
        if is_another:
            if granted.wrapped is None:
                self._context.tokens.replace(granted.token)
            self._sinks.put(granted)

    def _end_session(self, now: float) -> None:
        if self._session is not None and self._session.ends is not None and now >= self._session.ends:
            self._context.journal.warn(PART, "the token has expired")
            self._lose()

    def _lose(self) -> None:
        self._session = None
        self._context.tokens.replace(None)

    def _failed(self, text: str, *, ends: bool = True) -> None:
        self._told.failed(text)
        if ends and self._config.exit_on_err:
            self._context.ending.ask(1)
        doubled = self._config.min_backoff * float(1 << min(self._failures, _DOUBLINGS_MAX))
        self._failures += 1
        wait = min(doubled, self._config.max_backoff) * (1 - self._drawn() / 4)
        self._retry_at = self._context.clock.monotonic() + wait

    def _drawn(self) -> float:
        return int.from_bytes(self._context.entropy.bytes(4), "big") / 2**32

    def _doubt(self, token: str) -> None:
        del token
        self._doubted.set()
        self._worker.wake()

    def _broke(self, name: str, error: Exception) -> None:
        self._context.journal.error(PART, f"{name} has ended by a fault of ours: {type(error).__name__}")
        self._context.ending.ask(1)
