"""The token that everything in the agent works with: one place that holds it, one that replaces it, many that wait for a change."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable


class TokenSource:
    """Holds the present token. Every method may be called from any thread; nothing of it is ever shown."""

    def __init__(self) -> None:
        self._token: str | None = None
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._doubters: list[Callable[[str], None]] = []

    def __repr__(self) -> str:
        return f"TokenSource({'a token' if self._token else 'no token'})"

    def current(self) -> str | None:
        """The present token; None before the first login, and after the last one has ended without another."""
        with self._changed:
            return self._token

    def replace(self, token: str | None) -> None:
        """Work with ``token`` from now on. Wakes everybody who waits, and calls who listens, in this thread."""
        with self._changed:
            if same_token(token, self._token):
                return
            self._token = token
            self._changed.notify_all()
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def wait_changed(self, since: str | None, timeout_seconds: float | None = None) -> str | None:
        """Wait until the token is another than ``since``, or for so long at most; the present one either way."""
        with self._changed:
            self._changed.wait_for(lambda: not same_token(self._token, since), timeout_seconds)
            return self._token

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each replacement. It must be quick: whoever replaces the token waits for it."""
        with self._changed:
            self._listeners.append(listener)

    def doubt(self, token: str) -> None:
        """The server has refused ``token`` (status 403): whoever logs in should look whether it still lives."""
        with self._changed:
            doubters = tuple(self._doubters) if same_token(token, self._token) else ()
        for doubter in doubters:
            doubter(token)

    def on_doubt(self, doubter: Callable[[str], None]) -> None:
        """Call ``doubter`` with the present token when somebody doubts it. It must be quick."""
        with self._changed:
            self._doubters.append(doubter)


def same_token(one: str | None, other: str | None) -> bool:
    """Whether both are the same token, or both none."""
    if one is None or other is None:
        return one is other
    return hmac.compare_digest(one.encode(), other.encode())
