"""Secrets in times without the server: the last good answer, if it is young enough, with a word to the person and the audit log.

Only a server that gives no answer at all is replaced. One that says no, has nothing there, or is sealed (which is what an
operator does in an emergency) is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from strongroom.cli.errors import CommandFailed, visible
from strongroom.cli.secret_reader import Found, SecretReader
from strongroom.cli.session import Session
from strongroom.client import exact_json
from strongroom.client.client import Client
from strongroom.client.errors import ApiError, ClientError, ConnectionFailed
from strongroom.delivery.offline_cipher import CannotSeal
from strongroom.delivery.offline_queue import Entry, OfflineQueue
from strongroom.delivery.offline_store import Asked, OfflineStore
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.instant import parse_duration, rfc3339
from strongroom.logical.secret import Secret

DEFAULT_TTL = "24h"
TTL_SECONDS_MAX = 30 * 86400
_REFUSED = 400
_KEYS_AT_ONCE, _NAME_LENGTH_MAX = 1000, 1024
"""What the server takes in one report."""


class Fallback(NamedTuple):
    """How to live without the server: copies of at most this age; with ``only`` the server is not even asked."""

    ttl_seconds: int
    only: bool = False


def fallback_of(asked: str, *, only: bool) -> Fallback:
    """What ``-fallback`` and ``-offline`` ask for. Raises CannotSeal for a time that is none."""
    try:
        seconds = parse_duration(asked or DEFAULT_TTL)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= TTL_SECONDS_MAX:
        raise CannotSeal("-fallback takes the greatest age of a copy, like 12h; 30 days is the most")
    return Fallback(seconds, only)


class FallbackReader(SecretReader):
    """Reads from the server and keeps a copy; reads the copy while the server does not answer.

    ``tell`` says a sentence to a person. ``protected`` are paths of which no copy may be kept.
    """

    def __init__(
        self,
        client: Client,
        fallback: Fallback,
        folder: str,
        tell: Callable[[str], None],
        protected: tuple[str, ...] = (),
    ) -> None:
        super().__init__(client)
        self._fallback = fallback
        self._clock = SystemClock()
        self._store = OfflineStore(folder, self._clock, SystemEntropy())
        self._queue = OfflineQueue(folder)
        self._tell = tell
        self._protected = protected
        self._away: ConnectionFailed | None = ConnectionFailed("the server was not asked") if fallback.only else None

    @property
    def is_away(self) -> bool:
        """Whether the server did not answer, or was not to be asked."""
        return self._away is not None

    def _fetch(self, path: str, mount: str, version: int, *, keep: bool) -> Found:
        asked = self._question(path, mount, version)
        if self._away is not None:
            return self._copy(asked, self._away)
        try:
            found = super()._fetch(path, mount, version, keep=keep)
        except ConnectionFailed as error:
            # It is asked no more: every further question would wait as long.
            self._away = error
            return self._copy(asked, error)
        except ApiError as error:
            if asked is not None and error.status in {403, 404}:
                self._store.forget(asked)
            raise
        if asked is not None:
            # A copy holds values alone, and would lack what is imported.
            self._keep(asked, found, keep=keep and not found.imports and not self._is_protected(asked.path))
        return found

    def _question(self, path: str, mount: str, version: int) -> Asked | None:
        token = self.client.settings.token
        whole = "/".join(part.strip("/") for part in (mount, path) if part.strip("/"))
        return None if token is None else Asked(self.client.address.origin, token, whole, version)

    def _keep(self, asked: Asked, found: Found, *, keep: bool) -> None:
        try:
            if keep:
                values = Secret(exact_json.encode(found.values))
                self._store.keep(asked, found.api_path, values, found.version, self._fallback.ttl_seconds)
            else:
                self._store.forget(asked)
        except (CannotSeal, OSError) as error:
            self._tell(f"no copy of {found.api_path} is kept for times without the server: {error}")

    def _copy(self, asked: Asked | None, error: ConnectionFailed) -> Found:
        try:
            copy = self._store.find(asked, self._fallback.ttl_seconds) if asked is not None else None
            if asked is None or copy is None:
                raise ConnectionFailed(f"{error}; and there is no copy of it that is young enough") from None
            values = exact_json.decode(copy.values.reveal())
            keys = sorted(values)
            when = rfc3339(self._clock.now_ns())
            self._queue.add(
                {"server": asked.server, "path": copy.api_path, "version": copy.version, "keys": keys, "time": when}
            )
        except (CannotSeal, OSError) as failure:
            raise ConnectionFailed(f"{error}; and no copy of it can be used: {failure}") from None
        self._tell(f"the server does not answer: {copy.api_path} is a copy of {copy.age_seconds // 60} minutes ago")
        # Without its version: whoever watches has it read again as soon as the server is back.
        return Found(copy.api_path, values, 0, "")

    def _is_protected(self, path: str) -> bool:
        return any(f"{path}/".startswith(f"{root}/") for root in self._protected)


def fallback_reader(session: Session, client: Client, folder: str, asked: str, *, only: bool) -> FallbackReader:
    """The reader that the flags of a command ask for. Raises CommandFailed."""
    from strongroom.cli.project_use import project_in_use
    from strongroom.delivery.project import is_protected

    try:
        fallback = fallback_of(asked, only=only)
    except CannotSeal as error:
        raise CommandFailed(str(error)) from None
    environments = project_in_use(session.environ).environments
    protected = tuple(
        found.path for name, found in environments.items() if found.path and is_protected(name, known=found.protected)
    )
    return FallbackReader(client, fallback, folder, session.note, protected)


def report(client: Client, folder: str, tell: Callable[[str], None]) -> None:
    """Tell the server's audit log what was read without it. What it does not take is kept for another time."""
    server, told = client.address.origin, []

    def deliver(entry: Entry) -> bool | None:
        if entry.get("server") != server:
            return None
        try:
            for part in _reports(entry):
                client.write("sys/offline-reads", part)
        except ApiError as error:
            if error.status != _REFUSED:
                raise
            told.append(error)
            return False
        return True

    try:
        count = OfflineQueue(folder).report(deliver)
    except (ClientError, OSError) as error:
        tell(f"what was read without the server could not be reported to it yet: {error}")
        return
    if told:
        tell(f"the server takes no report of {len(told)} reads without it, which are kept: {told[0]}")
    if count:
        tell(f"reported to the server what was read without it: {count}")


def _reports(entry: Entry) -> Iterator[dict[str, Any]]:
    """What the server takes of ``entry``, in several reports where it has many keys. Names are written out as far as a log shows them."""
    keys = entry.get("keys")
    names = [_shown(key) for key in keys] if isinstance(keys, list) else []
    for start in range(0, len(names) or 1, _KEYS_AT_ONCE):
        yield {
            "path": _shown(entry.get("path")),
            "version": entry.get("version"),
            "keys": names[start : start + _KEYS_AT_ONCE],
            "time": entry.get("time"),
        }


def _shown(name: object) -> str:
    return visible(str(name), kept="")[:_NAME_LENGTH_MAX] or "(no name)"
